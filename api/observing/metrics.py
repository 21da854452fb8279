"""Prometheus metrics, in a registry of the server's own. Every label takes few values: routes, models, tools, codes.

Nothing is counted per token: a run, an answer or a call is one observation. Gauges are read when somebody scrapes.
"""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from agent.observer import ModelCalled, Observer, RunRested, ToolCalled
from agent.service import Load

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
UNMATCHED = "unmatched"  # a path that is no route: anybody may make up any number of them

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SPEEDS = (1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 250, 500, 1000)  # tokens a second


class Metrics(Observer):
    """Counts what the agent and the HTTP side do."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"deskclerk_{name}", what, labels, registry=registry)

        def histogram(name: str, what: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
            return Histogram(f"deskclerk_{name}", what, labels, buckets=buckets, registry=registry)

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(f"deskclerk_{name}", what, registry=registry)

        self._requests = counter("http_requests", "Answered requests.", "method", "route", "status")
        self._request_seconds = histogram("http_request_seconds", "Until the answer was whole.", "route")
        self._runs = counter("runs", "Runs that came to rest.", "status", "error")
        self._run_seconds = histogram("run_seconds", "Working time of runs that ended.")
        self._queue_seconds = histogram("run_queue_seconds", "From a request until its run began.")
        self._model_calls = counter("model_calls", "Answers asked of the model.", "model", "error")
        self._tokens = counter("model_tokens", "Tokens as the model counts them.", "model", "direction")
        self._first_token = histogram("model_first_token_seconds", "Until an answer's first token.", "model")
        self._speed = histogram(
            "model_tokens_per_second", "Output tokens after the first one.", "model", buckets=_SPEEDS
        )
        self._tools = counter("tool_calls", "Calls of tools that ran.", "tool", "status", "error")
        self._tool_seconds = histogram("tool_seconds", "Duration of calls of tools.", "tool")
        self._verdicts = counter("verdicts", "What policy and guards said.", "kind", "rule", "verdict")
        self._running = gauge("runs_running", "Runs at work in this process.")
        self._waiting = gauge("runs_queued", "Runs that wait for a place or their turn in this process.")
        self._approvals = gauge("approvals_waiting", "Calls that wait for a person, in all processes.")
        self._unstored = gauge("events_unstored", "Events that are not in the database yet.")
        self._lag = gauge("event_writer_lag_seconds", "How long the oldest batch of events waits to be stored.")

    # ------------------------------------------------------------ HTTP

    def request_answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "OTHER"
        self._requests.labels(method, route, f"{status // 100}xx").inc()
        self._request_seconds.labels(route).observe(seconds)

    # ------------------------------------------------------------ the agent

    def model_called(self, call: ModelCalled) -> None:
        self._model_calls.labels(call.model, call.error or "").inc()
        self._tokens.labels(call.model, "input").inc(call.input_tokens)
        self._tokens.labels(call.model, "output").inc(call.output_tokens)
        if call.first_token_seconds is None:
            return
        self._first_token.labels(call.model).observe(call.first_token_seconds)
        generating = call.seconds - call.first_token_seconds
        if call.output_tokens > 1 and generating > 0:
            self._speed.labels(call.model).observe((call.output_tokens - 1) / generating)

    def tool_called(self, call: ToolCalled) -> None:
        self._tools.labels(call.tool, call.status, call.error or "").inc()
        self._tool_seconds.labels(call.tool).observe(call.seconds)

    def judged(self, kind: Literal["policy", "guard"], rule: str, verdict: str) -> None:
        self._verdicts.labels(kind, rule, verdict).inc()

    def run_rested(self, rest: RunRested) -> None:
        self._runs.labels(rest.status, rest.error or "").inc()
        if rest.status != "waiting":
            self._run_seconds.observe(rest.seconds)
            self._queue_seconds.observe(rest.timing.queue_ms / 1000)

    # ------------------------------------------------------------ scraping

    def read_load(self, load: Load, *, approvals: int | None) -> None:
        """Set the gauges. `approvals` is None when the database cannot say."""
        self._running.set(load.running)
        self._waiting.set(load.queued)
        self._unstored.set(load.unstored_events)
        self._lag.set(load.writer_lag_seconds)
        self._approvals.set(float("nan") if approvals is None else approvals)

    def exposition(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
