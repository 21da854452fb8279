"""Refuses bodies that are too large: at once where the length is declared, else as soon as they are."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, problem_response


class BodyLimit:
    def __init__(self, app: ASGIApp, *, default_bytes: int, bytes_by_path: Mapping[str, int]) -> None:
        self.app = app
        self.default_bytes = default_bytes
        self.bytes_by_path = dict(bytes_by_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.bytes_by_path.get(scope["path"], self.default_bytes)
        detail = f"The request's body is larger than {limit} bytes."
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            response = problem_response(413, "body_too_large", detail, headers={"Connection": "close"})
            await response(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise Problem(413, "body_too_large", detail, headers={"Connection": "close"})
            return message

        await self.app(scope, receive_limited, send)
