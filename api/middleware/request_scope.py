"""Outermost: gives the request its id, and turns a bug into a logged, silent 500."""

from __future__ import annotations

import logging

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_response
from api.request_id import HEADER, begin_request

log = logging.getLogger(__name__)


class RequestScope:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = begin_request(Headers(scope=scope).get(HEADER))
        header = (HEADER.encode(), request_id.encode())
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], header]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            log.exception("request failed: %s %s", scope["method"], scope["path"])
            if started:
                raise  # the server cuts the connection, so the client knows that the answer is not whole
            response = problem_response(500, "internal_error", "Something went wrong here. It has been logged.")
            await response(scope, receive, send_with_id)
