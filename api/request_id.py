"""The id of the request being served: in every answer, every problem and every log line of it."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "x-request-id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")  # from a proxy in front of us; anything else is replaced
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of this request; `-` outside of one."""
    return _current.get()


def begin_request(proposed: str | None) -> str:
    """Take the caller's id where it is fit for logs, else make one, and make it current."""
    request_id = proposed if proposed and _ACCEPTED.fullmatch(proposed) else f"req_{secrets.token_hex(8)}"
    _current.set(request_id)
    return request_id
