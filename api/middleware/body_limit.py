"""Refuses bodies that are too large, at once where the length is declared, and those that do not come to an end.

What a client sends slowly keeps a connection and a task; so the whole body must arrive within a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, problem_response


class BodyLimit:
    def __init__(self, app: ASGIApp, *, default_bytes: int, bytes_by_path: Mapping[str, int], seconds: float) -> None:
        self.app = app
        self.default_bytes = default_bytes
        self.bytes_by_path = dict(bytes_by_path)
        self.seconds = seconds

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
        received, whole = 0, False
        deadline = asyncio.get_running_loop().time() + self.seconds

        async def receive_limited() -> Message:
            nonlocal received, whole
            if whole:  # what is waited for now is the client's leaving
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                late = f"The request's body did not arrive within {self.seconds:g} seconds."
                raise Problem(408, "request_timeout", late, headers={"Connection": "close"}) from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if received > limit:
                    raise Problem(413, "body_too_large", detail, headers={"Connection": "close"})
            return message

        await self.app(scope, receive_limited, send)
