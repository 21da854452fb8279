"""OpenTelemetry traces of requests, runs, answers of the model and calls of tools; imported only where switched on.

Spans follow the GenAI semantic conventions 1.44.0 (`invoke_agent`, `chat`, `execute_tool`) and those for HTTP servers.
They are made from the records that an observer is handed, when something has ended: a run pays nothing per token. What
was said stands in them only where the operator asked for content.

Sources: https://opentelemetry.io/docs/specs/semconv/gen-ai/, https://opentelemetry.io/docs/specs/semconv/http/
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.observer import ModelCalled, Observer, RunBegan, RunRested, ToolCalled
from api.middleware.observed import PROBES, route_of

CONVENTIONS = "https://opentelemetry.io/schemas/1.44.0"
AGENT = "deskclerk"
MOST_RUNS = 10_000  # whose requests or spans are remembered at once

# What the conventions call the servers behind a backend.
_PROVIDERS = {"openai": "openai", "ollama": "ollama", "embedded": "llama.cpp"}


class Tracing(Observer):
    """Makes spans and sends them in the background.

    Args:
        exporter: Else OTLP over HTTP, configured by the environment (`OTEL_EXPORTER_OTLP_...`).
    """

    def __init__(self, *, content: bool, exporter: SpanExporter | None = None) -> None:
        resource = Resource.create({"service.name": AGENT})  # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(AGENT, schema_url=CONVENTIONS)
        self._content = content
        self._requests: OrderedDict[str, Context] = OrderedDict()  # of runs that have not begun
        self._runs: OrderedDict[str, Span] = OrderedDict()

    def close(self) -> None:
        """Send what waits. Blocks, for as long as the receiver takes (at most OTEL_EXPORTER_OTLP_TIMEOUT)."""
        self._provider.shutdown()

    def request(self, scope: Scope) -> Span:
        """A span for a request, under the caller's where it names one."""
        headers = Headers(scope=scope)
        return self._tracer.start_span(
            scope.get("method", "WEBSOCKET"),
            context=extract({name: headers[name] for name in ("traceparent", "tracestate") if name in headers}),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope.get("method", "GET"),
                "url.scheme": {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"]),
                "network.protocol.version": scope.get("http_version", "1.1"),
            },
        )

    # ------------------------------------------------------------ the agent

    def run_submitted(self, run_id: str) -> None:
        current = trace.get_current_span()
        if current.get_span_context().is_valid:
            _remember(self._requests, run_id, trace.set_span_in_context(current))

    def run_began(self, run: RunBegan) -> None:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": _provider(run.model),
            "gen_ai.agent.name": AGENT,
            "gen_ai.conversation.id": run.thread_id,
            "gen_ai.request.model": _model(run.model),
            "deskclerk.run.id": run.run_id,
            "deskclerk.run.resumed": run.resumed,
        }
        if self._content:
            attributes["gen_ai.input.messages"] = _messages("user", run.input)
        parent = self._requests.pop(run.run_id, None)
        span = self._tracer.start_span(
            f"invoke_agent {AGENT}", context=parent or Context(), kind=SpanKind.INTERNAL, attributes=attributes
        )
        _remember(self._runs, run.run_id, span)

    def model_called(self, call: ModelCalled) -> None:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _provider(call.model),
            "gen_ai.request.model": _model(call.model),
            "gen_ai.request.max_tokens": call.max_tokens,
            "gen_ai.request.stream": True,
            "gen_ai.usage.input_tokens": call.input_tokens,
            "gen_ai.usage.output_tokens": call.output_tokens,
        }
        if call.finish is not None:
            attributes["gen_ai.response.finish_reasons"] = [call.finish]
        if call.first_token_seconds is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = call.first_token_seconds
        self._whole(
            call.run_id,
            f"chat {_model(call.model)}",
            SpanKind.CLIENT,
            attributes,
            began_ns=call.began_ns,
            seconds=call.seconds,
            error=call.error,
        )

    def tool_called(self, call: ToolCalled) -> None:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.tool,
            "gen_ai.tool.call.id": call.call_id,
            "gen_ai.tool.type": "function",
            "deskclerk.tool.effect": call.effect,
        }
        self._whole(
            call.run_id,
            f"execute_tool {call.tool}",
            SpanKind.INTERNAL,
            attributes,
            began_ns=call.began_ns,
            seconds=call.seconds,
            error=call.error,
        )

    def run_rested(self, rest: RunRested) -> None:
        span = self._runs.pop(rest.run_id, None)
        self._requests.pop(rest.run_id, None)
        if span is None:
            return
        span.set_attribute("gen_ai.usage.input_tokens", rest.usage.input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", rest.usage.output_tokens)
        span.set_attribute("deskclerk.run.status", rest.status)
        if self._content:
            span.set_attribute("gen_ai.output.messages", _messages("assistant", rest.answer))
        if rest.error is not None:
            _fail(span, rest.error)
        span.end()

    def run_left(self, run_id: str) -> None:
        self._requests.pop(run_id, None)
        if (span := self._runs.pop(run_id, None)) is not None:
            span.set_attribute("deskclerk.run.status", "left")
            span.end()

    def _whole(
        self,
        run_id: str,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        *,
        began_ns: int,
        seconds: float,
        error: str | None,
    ) -> None:
        run = self._runs.get(run_id)
        context = Context() if run is None else trace.set_span_in_context(run)
        span = self._tracer.start_span(name, context=context, kind=kind, attributes=attributes, start_time=began_ns)
        if error is not None:
            _fail(span, error)
        span.end(end_time=began_ns + int(seconds * 1e9))


class TraceRequests:
    """A span for each request but the probes; what is submitted meanwhile belongs under it."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self.app = app
        self.tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        span = self.tracing.request(scope)
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                await self.app(scope, receive, send_noted)
        finally:
            route = route_of(scope)
            span.update_name(f"{scope.get('method', 'WEBSOCKET')} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                _fail(span, str(status))
            span.end(time.time_ns())


def _remember(memory: OrderedDict[str, Any], run_id: str, value: object) -> None:
    memory[run_id] = value
    if len(memory) > MOST_RUNS:
        memory.popitem(last=False)


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


def _provider(model: str) -> str:
    scheme = model.partition(":")[0]
    return _PROVIDERS.get(scheme, scheme)


def _model(model: str) -> str:
    """`qwen3:8b` of `ollama:qwen3:8b`."""
    return model.partition(":")[2] or model


def _messages(role: str, text: str) -> str:
    import orjson

    return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()
