"""Who opens a socket, and whether they still may. Nothing secret stands in an address: those end up in logs.

A program shows itself as it does elsewhere, by a header. A browser cannot send one, so it asks for a ticket before
(`POST /v1/auth/tickets`) and offers it as a second subprotocol: `deskclerk.v1, ticket.<ticket>`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.websockets import WebSocket

from agent.principal import Principal
from api.principal import get_principal, redeem_ticket
from api.problems import Problem
from api.settings import ApiSettings
from api.socket.messages import PROTOCOL

TICKET = "ticket."


async def admit(socket: WebSocket, settings: ApiSettings) -> tuple[Principal, str | None]:
    """Who opens the socket, and the subprotocol to answer with.

    Raises:
        Problem: 401, 403 `origin_not_allowed` or 429 `rate_limited`.
    """
    offered: list[str] = socket.scope.get("subprotocols") or []
    ticket = next((item.removeprefix(TICKET) for item in offered if item.startswith(TICKET)), None)
    principal = await redeem_ticket(socket, ticket) if ticket is not None else await get_principal(socket)
    if principal.user_id is not None:  # else `authenticate` has looked already
        _check_origin(socket, settings)
    return principal, PROTOCOL if PROTOCOL in offered else None


def _check_origin(socket: WebSocket, settings: ApiSettings) -> None:
    """Browsers say which page opens a socket, and do not keep pages of other sites from it: we do."""
    origin = socket.headers.get("origin")
    if origin is None:
        return
    ours = {socket.headers.get("host", ""), urlsplit(settings.public_url).netloc} - {""}
    if urlsplit(origin).netloc not in ours and origin not in settings.allowed_origins:
        raise Problem(403, "origin_not_allowed", "Pages of this site may not open a socket here.")
