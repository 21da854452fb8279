"""Where a request comes from: the peer, or, behind a proxy that we were told to trust, whom that proxy names."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from starlette.requests import HTTPConnection

UNKNOWN = "unknown"
_SITE_BITS = 64  # one household or server has that many IPv6 addresses at least

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(connection: HTTPConnection, trusted: Sequence[Network] = ()) -> str:
    """The address that limits count by; of an IPv6 address its /64 network.

    `X-Forwarded-For` is read from its end for as long as the one who wrote an entry is in `trusted`: what stands
    before that was written by whoever likes to.
    """
    peer = _address(connection.client.host) if connection.client is not None else None
    if peer is None:
        return UNKNOWN
    named = [part.strip() for line in connection.headers.getlist("x-forwarded-for") for part in line.split(",")]
    while named and any(peer in network for network in trusted):
        before = _address(named.pop())
        if before is None:
            break
        peer = before
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, _SITE_BITS), strict=False))
    return str(peer)


@lru_cache(maxsize=4_096)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
