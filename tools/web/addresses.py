"""Which network addresses are the public internet's. Strangers must not send us to any other: those are ours."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Not global by what they are for, whatever a Python release thinks of them. Source: IANA's special-purpose registries.
_CLOSED: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            "168.63.129.16/32",  # a public address by which a cloud's machines ask for their own settings
            "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
            "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8",
        ),
    )
)  # fmt: skip


def is_public(address: Address, *, allowed: Sequence[Network] = ()) -> bool:
    """Whether a page may be read from there.

    IPv6 forms that carry an IPv4 address (mapped, 6to4, NAT64) are not public, whatever they carry.

    Args:
        allowed: Networks that are allowed all the same.
    """
    plain = getattr(address, "ipv4_mapped", None) or address
    if any(plain in network for network in allowed):
        return True
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    return address.is_global and not any(
        address in network for network in _CLOSED if network.version == address.version
    )


def parse(text: str) -> Address:
    """An address as a resolver writes it.

    Raises:
        ValueError: It is none.
    """
    return ip_address(text)
