"""Who asks. The one place that decides it; everything else takes a `ThePrincipal`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from agent.principal import LOCAL, Principal
from api.auth.same_machine import only_this_machine


async def authenticate(connection: HTTPConnection) -> Principal:
    """Whoever made this request or opened this WebSocket.

    Raises:
        Problem: 401 `not_authenticated` or `credentials_invalid`, with `WWW-Authenticate`.
    """
    only_this_machine(connection)
    return LOCAL


async def get_principal(connection: HTTPConnection) -> Principal:
    """`authenticate`, for routes and sockets; tests put another in its place."""
    return await authenticate(connection)


ThePrincipal = Annotated[Principal, Depends(get_principal)]
