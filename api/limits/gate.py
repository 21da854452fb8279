"""Counting requests: from each address before anything is done, of each user and key once it is known who asks.

Source of the headers: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from limits import RateLimitItem
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.principal import Principal
from api.client_address import Network, client_address
from api.limits.settings import LimitSettings, most, parse
from api.limits.store import Standing, Store
from api.limits.streams import Lease, Streams
from api.problems import Problem, problem_response
from api.settings import is_loopback

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by machines that must not be refused
STARTS = ("http.response.start", "websocket.http.response.start")
STATE = "limits"  # of a request, in its scope's `state`


@dataclass(slots=True)
class Counted:
    """What was counted of one request."""

    limits: Limits
    address: str | None
    standings: list[Standing]


class Limits:
    """Counts the requests of a server."""

    def __init__(self, settings: LimitSettings, *, proxies: Sequence[Network] = ()) -> None:
        self.settings = settings
        self._proxies = proxies
        self._store = Store(settings.url)
        self._address = parse(settings.address)
        self._key = parse(settings.key)
        self._streams = Streams(
            {"user": settings.streams_user, "key": settings.streams_key, "address": settings.streams_address}
        )

    async def close(self) -> None:
        await self._store.close()

    def begin(self, connection: HTTPConnection) -> Counted:
        """What is counted of a request. This machine's own address is none, unless limits are switched `on`: there a
        proxy that we know nothing of may stand for everybody."""
        address = client_address(connection, self._proxies)
        counts = self.settings.mode == "on" or not is_loopback(address)
        return Counted(self, address if counts else None, [])

    async def count_address(self, counted: Counted) -> None:
        """Before anything is done for a request.

        Raises:
            Problem: 429 `rate_limited`.
        """
        if counted.address is not None:
            await self._count(counted, "address", self._address, counted.address)

    async def count_principal(self, counted: Counted, principal: Principal) -> None:
        """Once it is known who asks. Where nobody signed in there is only the address.

        Raises:
            Problem: 429 `rate_limited`.
        """
        if principal.user_id is None:
            return
        await self._count(counted, "user", most(self.settings, principal, "user"), principal.user_id)
        if principal.key_id is not None:
            await self._count(counted, "key", self._key, principal.key_id)

    def open_stream(self, counted: Counted, principal: Principal) -> Lease:
        """One more open stream.

        Raises:
            Problem: 429 `too_many_streams`.
        """
        whose = {"address": counted.address, "user": principal.user_id, "key": principal.key_id}
        return self._streams.open({kind: name for kind, name in whose.items() if name is not None})

    async def _count(self, counted: Counted, name: str, items: Sequence[RateLimitItem], whose: str) -> None:
        for item in items:
            standing = await self._store.count(name, item, whose)
            counted.standings.append(standing)
            if standing.refused:
                raise Problem(
                    429,
                    "rate_limited",
                    f"Too many requests: of each {name} {item} are answered.",
                    headers={"Retry-After": str(max(1, math.ceil(standing.resets_in)))},
                )


async def counted_principal(connection: HTTPConnection, principal: Principal) -> Principal:
    """Count a request or an opened socket for who makes it, where limits are on. They are known by their address too.

    Raises:
        Problem: 429 `rate_limited`.
    """
    counted = _counted(connection)
    if counted is None:
        return principal
    await counted.limits.count_principal(counted, principal)
    return replace(principal, address=counted.address)


async def count_message(connection: HTTPConnection, principal: Principal) -> None:
    """Count what is said on an open socket as a request, where limits are on.

    Raises:
        Problem: 429 `rate_limited`.
    """
    counted = _counted(connection)
    if counted is None:
        return
    message = replace(counted, standings=[])  # nobody is told of them, and a socket may stay open for days
    await counted.limits.count_address(message)
    await counted.limits.count_principal(message, principal)


def open_stream(connection: HTTPConnection, principal: Principal) -> Lease:
    """The right to one open stream or socket; close it when it ends. Where limits are off there is no bound.

    Raises:
        Problem: 429 `too_many_streams`.
    """
    counted = _counted(connection)
    return Lease(None, {}) if counted is None else counted.limits.open_stream(counted, principal)


def _counted(connection: HTTPConnection) -> Counted | None:
    return cast("Counted | None", connection.scope.get("state", {}).get(STATE))


class CountRequests:
    """Middleware: refuses what comes too often from one address, and tells how every limit stands."""

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        counted = self.limits.begin(HTTPConnection(scope))
        scope.setdefault("state", {})[STATE] = counted

        async def send_told(message: Message) -> None:
            if message["type"] in STARTS and counted.standings:
                message["headers"] = [*message["headers"], *_headers(counted.standings)]
            await send(message)

        try:
            await self.limits.count_address(counted)
        except Problem as refused:  # a WebSocket hears the same before it opens
            answer = problem_response(refused.status_code, refused.code, refused.detail, headers=refused.headers)
            await answer(scope, receive, send_told)
            return
        await self.app(scope, receive, send_told)


def _headers(standings: Sequence[Standing]) -> list[tuple[bytes, bytes]]:
    policies = ", ".join(f'"{_name(one)}";q={one.item.amount};w={one.item.get_expiry()}' for one in standings)
    left = ", ".join(f'"{_name(one)}";r={one.remaining};t={math.ceil(one.resets_in)}' for one in standings)
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]


def _name(standing: Standing) -> str:
    """Of a policy: there may be several of one kind."""
    return f"{standing.name}-{standing.item.get_expiry()}s"
