"""Who sends or reads slowly, on purpose or gone without a word, keeps no connection and no memory of a real server."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from prisma import Prisma
from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.service

PATIENCE = 1  # seconds, for everything
EVENTS, EVENT_BYTES = 3_000, 10_000


@pytest.fixture(scope="module")
def url(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a finished run of 30 MB of events."""
    path = tmp_path_factory.mktemp("slow") / "desk.db"
    shutil.copyfile(database_template, path)

    async def make() -> None:
        async with Prisma(f"file:{path}") as db:
            thread = await db.thread.create(data={"tenant_id": "default"})
            await db.run.create(
                data={
                    "id": "long",
                    "tenant_id": "default",
                    "thread_id": thread.id,
                    "status": "succeeded",
                    "input": "a",
                    "model": "m",
                    "last_sequence": EVENTS,
                }
            )
            text = "x" * EVENT_BYTES
            await db.execute_raw(
                f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})
                INSERT INTO "Event" ("run_id", "sequence", "type", "data")
                SELECT 'long', i, 'token', '{{"text":"{text}"}}' FROM n"""
            )

    asyncio.run(make())
    return f"file:{path}"


@pytest.fixture(scope="module")
def server(url: str, script: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    patience = {f"DESKCLERK_{what}_SECONDS": str(PATIENCE) for what in ("HEADER", "BODY", "WRITE")}
    settings = {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": url, **patience}
    with run_server(settings, folder=tmp_path_factory.mktemp("cwd")) as server:
        yield server


def connect(server: Server, *, receive_buffer: int | None = None) -> socket.socket:
    peer = httpx.URL(server.url)
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(20)
    connection.connect((peer.host, peer.port))
    return connection


def read_all(connection: socket.socket) -> bytes:
    """What comes until the connection is closed, or cut."""
    parts: list[bytes] = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize("beginning", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_head_that_does_not_come_ends_the_connection(server: Server, beginning: bytes):
    with connect(server) as connection:
        connection.sendall(beginning)
        began = time.monotonic()
        assert read_all(connection) == b""
        assert time.monotonic() - began < PATIENCE + 3


def test_a_head_that_drips_ends_too(server: Server):
    """Each byte in time, and the whole never."""
    with connect(server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        began = time.monotonic()
        with suppress(OSError):  # the connection is gone
            while time.monotonic() - began < PATIENCE + 10:
                connection.sendall(b"X-A: b\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < PATIENCE + 5


def test_a_request_after_another_on_the_same_connection_has_its_own_time(server: Server):
    with connect(server) as connection:
        for _ in range(3):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.6 * PATIENCE)


def test_a_body_that_drips_is_answered_408(server: Server):
    with connect(server) as connection:
        head = b"POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
        began = time.monotonic()
        answer = read_all(connection)
        assert time.monotonic() - began < PATIENCE + 3
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer


def test_who_does_not_read_is_cut_off_costs_no_memory_and_can_go_on(server: Server):
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    lazy = [connect(server, receive_buffer=4_096) for _ in range(10)]  # 300 MB are there to be read
    for connection in lazy:
        connection.sendall(b"GET /v1/runs/long/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    most, deadline = 0, time.monotonic() + 3 * PATIENCE
    while time.monotonic() < deadline:
        most = max(most, process.memory_info().rss - before)
        time.sleep(0.1)
    read = [read_all(connection) for connection in lazy]
    for connection in lazy:
        connection.close()
    assert most < 200 * 2**20
    assert all(len(one) < EVENTS * EVENT_BYTES // 2 for one in read)  # it was cut, not sent once they read
    last = max(int(line.removeprefix(b"id: ")) for line in read[0].splitlines() if line.startswith(b"id: "))
    headers = {"Last-Event-ID": str(last - 1)}
    with httpx.stream("GET", f"{server.url}/v1/runs/long/events", headers=headers, timeout=30) as answer:
        ids = [int(line.removeprefix("id: ")) for line in answer.iter_lines() if line.startswith("id: ")]
    assert ids == list(range(last, EVENTS + 1))
