"""Refuses the character U+0000 wherever text is sent: PostgreSQL keeps none, and nobody writes one by hand.

Said once, here, before anything is begun, and the same on every database.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, problem_response

DETAIL = "Text must not hold the character U+0000."
_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_IN_FORM = re.compile(rb"%00|\0")
_UNFINISHED = re.compile(rb"\\+u?0{0,3}$|%0?$")  # what may become one with the next piece


def holds_nul(json: bytes) -> bool:
    """Whether a string in it does."""
    return _IN_JSON.search(json) is not None


class NoNul:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"\0" in unquote_to_bytes(scope["query_string"]):
            await problem_response(400, "malformed_request", DETAIL)(scope, receive, send)
            return
        kind = Headers(scope=scope).get("content-type", "application/json")
        pattern = _IN_FORM if kind.startswith("application/x-www-form-urlencoded") else _IN_JSON
        if scope["type"] != "http" or kind.startswith("multipart/"):  # a file may hold it
            await self.app(scope, receive, send)
            return
        before = b""

        async def receive_text() -> Message:
            nonlocal before
            message = await receive()
            if body := message.get("body", b""):
                piece = before + body
                if pattern.search(piece):
                    raise Problem(400, "malformed_request", DETAIL, headers={"Connection": "close"})
                unfinished = _UNFINISHED.search(piece)
                before = unfinished.group() if unfinished else b""
            return message

        await self.app(scope, receive_text, send)
