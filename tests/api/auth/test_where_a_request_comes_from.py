from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from api.client_address import UNKNOWN, client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32")]


def asked_by(peer: str | None, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return HTTPConnection({"type": "http", "headers": headers, "client": None if peer is None else (peer, 1)})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("9.9.9.9", [], "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"),  # no proxy of ours says so
        ("127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),  # what stands before it was made up
        ("127.0.0.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["1.1.1.1, nonsense"], "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("::ffff:9.9.9.9", [], "9.9.9.9"),
        ("testclient", [], UNKNOWN),
        (None, ["1.1.1.1"], UNKNOWN),
    ],
)
def test_the_address_is_the_peers_or_whom_a_trusted_proxy_names(peer: str | None, forwarded: list[str], address: str):
    assert client_address(asked_by(peer, *forwarded), PROXIES) == address
