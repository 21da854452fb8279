"""One metric and one line in the log for each request, when its answer is whole. Never its query, body or headers."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.observing.metrics import UNMATCHED

if TYPE_CHECKING:
    from api.observing.metrics import Metrics

log = logging.getLogger("deskclerk.access")

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # asked all the time by machines


class Observed:
    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        status = 500  # where it is broken off before it began
        sent = 0
        began = time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status, sent
            kind = message["type"]
            if kind == "http.response.body":
                sent += len(message.get("body", b""))
            elif kind == "http.response.start":
                status = message["status"]
            elif kind == "websocket.accept":
                status = 101
            elif kind == "websocket.send":
                sent += len(message.get("text") or message.get("bytes") or b"")
            elif kind == "websocket.close" and status == 500:
                status = 403  # what a server answers to a handshake that was not accepted
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            self._note(scope, status=status, sent=sent, seconds=time.perf_counter() - began)

    def _note(self, scope: Scope, *, status: int, sent: int, seconds: float) -> None:
        method, route = scope.get("method", "WEBSOCKET"), route_of(scope)
        self.metrics.request_answered(method=method, route=route, status=status, seconds=seconds)
        log.log(
            logging.DEBUG if route in PROBES else logging.INFO,
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 1),
                "bytes": sent,
            },
        )


def route_of(scope: Scope) -> str:
    """The template of the route that answered, like `/v1/runs/{run_id}`: the path itself may be anything."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) and path else UNMATCHED
