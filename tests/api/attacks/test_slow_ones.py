"""Heads and bodies that drip, on many connections at once: each is ended in time, and others are answered meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.api.attacks.conftest import BODY_SECONDS, HEADER_SECONDS
from tests.support.arena import Arena

pytestmark = pytest.mark.service

LATE = 5.0  # seconds more that a busy machine may take
BETWEEN = 0.2  # seconds between two drops
BODIES = [
    "/v1/threads",
    "/v1/threads/{thread}/runs",
    "/v1/chat/completions",
    "/v1/documents",
    "/v1/schedules",
    "/v1/approvals/{approval}",
    "/v1/effects/{effect}/settle",
    "/v1/auth/keys",
    "/v1/auth/token",
    "/v1/auth/revoke",
]
TYPES = {"/v1/documents": "multipart/form-data; boundary=b"} | dict.fromkeys(
    ("/v1/auth/token", "/v1/auth/revoke"), "application/x-www-form-urlencoded"
)

PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


@contextmanager
def connection(arena: Arena) -> Generator[socket.socket]:
    peer = httpx.URL(arena.server.url)
    with socket.create_connection((peer.host, peer.port), timeout=20) as opened:
        yield opened


def drip(arena: Arena, beginning: bytes, drop: bytes) -> bytes:
    """Send a drop now and then until the server has had enough; what it said, and the connection is closed."""
    answer, deadline = b"", time.monotonic() + max(BODY_SECONDS, HEADER_SECONDS) + LATE
    with connection(arena) as slow:
        slow.sendall(beginning)
        slow.settimeout(BETWEEN)
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                try:
                    part = slow.recv(65_536)
                except ConnectionError:
                    return answer
                if not part:
                    return answer
                answer += part
            with suppress(ConnectionError):
                slow.sendall(drop)
    raise AssertionError(f"It was never closed; it said {answer!r}.")


def head(path: str, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def body(arena: Arena, path: str, who: str | None, *, chunked: bool) -> bytes:
    """What is answered to a body that drips."""
    kind = TYPES.get(path, "application/json")
    framed = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "1000"}
    shown = arena.as_(who) if who is not None else {}
    begun = PART if kind.startswith("multipart") else b"{"
    beginning = b"%x\r\n%b\r\n" % (len(begun), begun) if chunked else begun
    request = head(path.format(**arena.ids), **shown, **framed, **{"Content-Type": kind})
    return drip(arena, request + beginning, b"1\r\n \r\n" if chunked else b" ")


def answered_in(arena: Arena) -> float:
    """Seconds that somebody else waits."""
    began = time.monotonic()
    assert arena.http.get("/v1/me", headers=arena.as_("boss")).status_code == 200
    return time.monotonic() - began


def test_a_body_that_drips_is_refused_in_time_on_every_route(arena: Arena):
    """Of somebody and of nobody, with its length and in chunks, all at once; others are answered meanwhile."""
    ways = [(path, who, chunked) for path in BODIES for who in ("ann", None) for chunked in (True, False)]
    with arena.unchanged(), ThreadPoolExecutor(len(ways)) as pool:
        answers = [pool.submit(body, arena, path, who, chunked=chunked) for path, who, chunked in ways]
        assert max(answered_in(arena) for _ in range(5)) < BODY_SECONDS
        told = [answer.result() for answer in answers]
    for (path, who, chunked), answer in zip(ways, told, strict=True):
        status = int(answer.split(b" ", 2)[1])
        assert status == 408 or (who is None and status == 401), (path, who, chunked, answer)
        assert b'"code":"request_timeout"' in answer or status == 401, (path, who, chunked, answer)


def test_a_body_that_drips_on_after_its_answer_keeps_no_connection(arena: Arena):
    """Answered at once, for there is no such route, the form is none, or nobody wants the body."""
    request = {"Content-Length": "1000", "Content-Type": TYPES["/v1/documents"], **arena.as_("ann")}
    paths = ["/v1/nothing", "/v1/documents", "/v1/me", "/v1/webhooks/stripe"]
    with arena.unchanged(), ThreadPoolExecutor(len(paths)) as pool:
        answers = [pool.submit(drip, arena, head(path, **request) + b"{", b" ") for path in paths]
        for path, answer in zip(paths, answers, strict=True):
            assert int(answer.result().split(b" ", 2)[1]) in {400, 404, 405}, path


HEADS = {
    "nothing": (b"", b""),
    "line_without_end": (b"GET /v1/me?", b"a"),
    "header_without_end": (b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"a"),
    "headers_without_end": (b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n"),
    "a_socket_that_never_asks": (
        b"GET /v1/threads/x/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        b"X-A: b\r\n",
    ),
}


def test_heads_that_drip_are_ended_in_time_and_keep_nobody_out(arena: Arena):
    """Ten of each kind."""
    with arena.unchanged(), ThreadPoolExecutor(10 * len(HEADS)) as pool:
        slow = [pool.submit(drip, arena, *each) for each in HEADS.values() for _ in range(10)]
        assert answered_in(arena) < HEADER_SECONDS
        said = {one.result() for one in slow}
    assert all(one == b"" or one.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 ")) for one in said), said
