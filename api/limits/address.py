"""Where a request comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from api.limits.settings import Network

V6_PREFIX = 64  # bits: what one customer of a provider has; each of its addresses is the same one's


def client_address(scope: Scope, proxies: Sequence[Network]) -> str:
    """The peer's address. From a trusted proxy, the last one in `X-Forwarded-For` that is no trusted proxy's.

    What stands before that one anybody can have written. IPv6 is counted by its /64 network.
    """
    client = scope.get("client")
    address = _parsed(client[0]) if client else None
    if address is None:
        return "unknown"
    if proxies and _is_trusted(address, proxies):
        told = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        for one in reversed(told):
            forwarded = _parsed(one.strip())
            if forwarded is None:
                break
            address = forwarded
            if not _is_trusted(address, proxies):
                break
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, V6_PREFIX), strict=False))
    return str(address)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _is_trusted(address: ipaddress.IPv4Address | ipaddress.IPv6Address, proxies: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in proxies)
