"""How far a request reaches, for keys and tokens that are limited: decided here, by method and path, for all routes.

`read` is in every key. What is not named below is: reading for what only reads, `runs` for everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import HTTPConnection

from agent.principal import SCOPES, Scope

READS = {"GET", "HEAD", "OPTIONS"}
ADMIN = ("/v1/audit", "/v1/usage")
DECIDES = ("/approvals", "/settle")
SIGNS_IN = "/v1/auth/"  # its routes look for themselves


def needed_scope(connection: HTTPConnection) -> Scope:
    """What the key or token must reach. A socket begins with `runs`; deciding in it takes a role besides."""
    scope: Any = connection.scope
    path = str(scope["path"])
    if path.startswith(ADMIN):
        return "admin"
    if scope["type"] == "websocket":
        return "runs"
    if scope["method"] in READS or path.startswith(SIGNS_IN):
        return "read"
    return "approve" if any(part in path for part in DECIDES) else "runs"


def whole(scopes: Sequence[Scope]) -> list[Scope]:
    """As they are kept: in one order, `read` among them."""
    return [scope for scope in SCOPES if scope == "read" or scope in scopes]
