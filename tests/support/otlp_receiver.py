"""A receiver of OTLP over HTTP: decodes the protobuf that arrives, as a collector would."""

from __future__ import annotations

import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.http_server import Answer, HttpServer, Request


@dataclass
class ReceivedSpan:
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    failed: bool
    attributes: dict[str, Any]


@dataclass
class Receiver:
    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list[ReceivedSpan])
    raw: bytes = b""
    services: set[str] = field(default_factory=set[str])
    schemas: set[str] = field(default_factory=set[str])

    async def take(self, request: Request) -> Answer:
        assert request.path == "/v1/traces", request.path
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        self.raw += body
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            self.services |= {
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.schemas.add(scope.schema_url)
                self.spans += [_span(span) for span in scope.spans]
        return Answer(content_type="application/x-protobuf")

    def named(self, name: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]


def _span(span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        failed=span.status.code == 2,
        attributes={each.key: _value(each.value) for each in span.attributes},
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@asynccontextmanager
async def otlp_receiver() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    async with HttpServer(receiver.take) as server:
        receiver.url = server.url
        yield receiver
