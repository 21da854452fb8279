"""Who asks. The one place that decides it; everything else takes a `ThePrincipal`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from agent.principal import LOCAL, Principal
from api.auth.authenticator import Authenticator
from api.auth.refusals import person_needed, scope_missing
from api.auth.same_machine import only_this_machine
from api.auth.scopes import needed_scope
from api.limits.gate import counted_principal
from api.startup import Startup


async def get_authenticator(connection: HTTPConnection) -> Authenticator:
    return cast("Authenticator", connection.state.authenticator)


TheAuthenticator = Annotated[Authenticator, Depends(get_authenticator)]


async def authenticate(connection: HTTPConnection) -> Principal:
    """Whoever made this request or opened this WebSocket, if what they showed reaches this far.

    Raises:
        Problem: 401 `not_authenticated`, `credentials_invalid` or `token_expired`, with `WWW-Authenticate`;
            403 `scope_missing`; 503 `not_ready`.
    """
    authenticator = await get_authenticator(connection)
    if authenticator.settings.auth == "off":
        only_this_machine(connection)  # before the database is there
        return LOCAL
    principal = await authenticator.principal(connection, cast("Startup", connection.state.startup).service.db)
    return _reaching(connection, principal)


async def redeem_ticket(connection: HTTPConnection, ticket: str) -> Principal:
    """Whoever asked for this ticket at `POST /v1/auth/tickets`; it is good for one connection. Counted.

    Raises:
        Problem: 401 `credentials_invalid`; 403 `scope_missing`; 429 `rate_limited`; 503 `not_ready`.
    """
    authenticator = await get_authenticator(connection)
    db = cast("Startup", connection.state.startup).service.db
    principal = _reaching(connection, await authenticator.by_ticket(connection, db, ticket))
    return await counted_principal(connection, principal)


async def still(connection: HTTPConnection, principal: Principal) -> Principal:
    """What is left of `principal` on a connection that has been open for a while; at most a second old.

    Raises:
        Problem: 401 `credentials_invalid`: revoked, expired or disabled meanwhile.
    """
    authenticator = await get_authenticator(connection)
    found = await authenticator.still(principal, cast("Startup", connection.state.startup).service.db)
    return replace(found, address=principal.address)


def _reaching(connection: HTTPConnection, principal: Principal) -> Principal:
    scope = needed_scope(connection)
    if not principal.allows(scope):
        raise scope_missing(scope)
    return principal


async def get_principal(connection: HTTPConnection) -> Principal:
    """`authenticate`, for routes and sockets, counted; tests put another in its place.

    Raises:
        Problem: As `authenticate`; 429 `rate_limited`.
    """
    return await counted_principal(connection, await authenticate(connection))


ThePrincipal = Annotated[Principal, Depends(get_principal)]


async def get_person(principal: ThePrincipal) -> Principal:
    """Who may change how they sign in: a key or a limited token could otherwise make itself a stronger one.

    Raises:
        Problem: 403 `person_needed`.
    """
    if principal.user_id is None or principal.key_id is not None or principal.scopes is not None:
        raise person_needed()
    return principal


ThePerson = Annotated[Principal, Depends(get_person)]
