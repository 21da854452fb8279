"""Errors in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`.

Everything under us answers with problem details; on these paths they are put into the form that OpenAI's clients read.
Source: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import EVERYWHERE

PATHS = ("/v1/chat/completions", "/v1/models")
PROBLEM = b"application/problem+json"

_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_TYPES = {401: "authentication_error", 403: "permission_error", 409: "conflict_error", 429: "rate_limit_error"}
# Where OpenAI has a code of its own that clients know: ours -> status, theirs.
_KNOWN = {
    "validation_failed": (400, None),
    "malformed_json": (400, None),
    "not_authenticated": (401, "invalid_api_key"),
    "input_too_long": (400, "context_length_exceeded"),
    "too_busy": (429, "rate_limit_exceeded"),
    "rate_limited": (429, "rate_limit_exceeded"),
}


def error_type(status: int) -> str:
    """OpenAI's word for a kind of error."""
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def error_body(status: int, code: str | None, message: str, param: str | None = None) -> dict[str, Any]:
    """The error as its JSON."""
    return {"error": {"message": message, "type": error_type(status), "param": param, "code": code}}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: these statuses, and those that every route may answer with, in OpenAI's form."""
    content = {"application/json": {"schema": _SCHEMA}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*statuses, *EVERYWHERE})
    }


def from_problem(problem: dict[str, Any], status: int) -> tuple[int, dict[str, Any]]:
    """A problem's status and body in OpenAI's form."""
    code = str(problem.get("code", "")) or None
    status, code = _KNOWN.get(code or "", (status, code))
    invalid: list[dict[str, str]] = problem.get("errors") or []
    param = invalid[0]["path"].removeprefix("body.") if invalid else None
    message = str(problem.get("detail") or "The request failed.")
    if problem.get("code") == "validation_failed" and invalid:
        message = f"Invalid {param!r}: {invalid[0]['message']}"
    return status, error_body(status, code, message, param)


class OpenAiErrors:
    """Rewrites problems on OpenAI's paths; everything else passes untouched. Outermost, so it sees all of them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_ours(scope["path"]):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send(send, start, body)

        await self.app(scope, receive, rewrite)


def _is_ours(path: str) -> bool:
    return path in PATHS or path.startswith("/v1/models/")


def _is_problem(start: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(PROBLEM) for name, value in start["headers"])


async def _send(send: Send, start: Message, body: bytes) -> None:
    status, error = from_problem(json.loads(body), start["status"])
    data = orjson.dumps(error)
    kept = [item for item in start["headers"] if item[0].lower() not in (b"content-type", b"content-length")]
    headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({**start, "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
