"""A slow reader of a socket costs bounded memory, slows nobody, and misses nothing."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from contextlib import AsyncExitStack

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from api.socket.outbox import MOST_CHARACTERS, MOST_WAITING, Outbox, TooSlow
from prisma import Prisma
from tests.api.test_served_runs import new_thread
from tests.api.test_sockets import Talk, talk
from tests.support.server_process import Server

EVENTS = 20_000  # of 300 bytes: far more than all the buffers between two processes
STANDING_STILL = 20  # readers
EACH_MAY_COST = 2 * 2**20  # bytes: what waits in its outbox, and a page of the event log


async def test_an_outbox_lets_nobody_put_more_than_its_bound():
    sent: list[str] = []
    gate = asyncio.Event()

    async def send(message: str) -> None:
        await gate.wait()
        sent.append(message)

    outbox = Outbox(send, patience=30)
    messages = [str(number) for number in range(3 * MOST_WAITING)]

    async def put_all() -> None:
        for message in messages:
            await outbox.put(message)

    putting, sending = asyncio.create_task(put_all()), asyncio.create_task(outbox.run())
    await asyncio.sleep(0.05)
    assert outbox.full
    assert not putting.done()
    gate.set()
    await putting
    while outbox.waiting:  # noqa: ASYNC110 the sender is no part of this test's loop
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sent == messages
    sending.cancel()


async def test_large_messages_count_by_their_size():
    async def never(message: str) -> None:
        await asyncio.Event().wait()

    outbox = Outbox(never, patience=30)
    await outbox.put("x" * MOST_CHARACTERS)
    assert outbox.full
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await outbox.put("y")


async def test_a_reader_that_takes_nothing_for_too_long_is_given_up():
    async def never(message: str) -> None:
        await asyncio.Event().wait()

    outbox = Outbox(never, patience=0.05)
    await outbox.put("x")
    with pytest.raises(TooSlow):
        await outbox.run()


async def long_run(url: str) -> tuple[str, str]:
    """A thread, and a run of it that has ended and told much."""
    async with Prisma(url) as db:
        thread = await db.thread.create(data={"tenant_id": "default"})
        run = await db.run.create(
            data={
                "tenant_id": "default",
                "thread_id": thread.id,
                "status": "succeeded",
                "input": "a long one",
                "model": "test",
                "last_sequence": EVENTS,
            }
        )
        await db.execute_raw(
            """INSERT INTO "Event" ("run_id", "sequence", "type", "data")
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            SELECT ?, i, CASE i WHEN ? THEN 'run.finished' ELSE 'token' END, ? FROM n""",
            EVENTS,
            run.id,
            EVENTS,
            json.dumps({"text": "lorem " * 50}),
        )
        return thread.id, run.id


def memory(server: Server) -> int:
    """Bytes that the server's process holds."""
    return int(psutil.Process(server.process.pid).memory_info().rss)


@pytest.mark.service
async def test_readers_that_stand_still_are_waited_for_and_then_read_everything(
    server: Server, company_url: str, http: httpx.AsyncClient
):
    thread, run_id = await long_run(company_url)
    other = await new_thread(http)
    async with AsyncExitStack() as stack:
        before = memory(server)
        still: list[ClientConnection] = []
        for _ in range(STANDING_STILL):
            raw = sockets.socket()
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)  # what is not read stays at the server
            raw.connect((http.base_url.host, http.base_url.port))
            url = f"ws://localhost:{http.base_url.port}/v1/threads/{thread}/ws"
            # Who stands still hears no goodbye either: it is not waited for.
            client = connect(url, sock=raw, max_queue=1, ping_interval=None, close_timeout=0.1)
            opened = await stack.enter_async_context(client)
            await opened.send(json.dumps({"type": "resume", "run_id": run_id}))
            still.append(opened)
        await asyncio.sleep(3.0)
        async with talk(server, other) as quick:
            for _ in range(5):
                await quick.say(type="send", input="hello")
                assert (await quick.until("run.finished"))[-1]["data"]["status"] == "succeeded"
        assert memory(server) - before < STANDING_STILL * EACH_MAY_COST
        numbers: list[int] = []
        clerk = Talk(still[-1])
        while True:
            heard = await clerk.hear()
            if heard["type"] != "event":
                continue
            numbers.append(heard["sequence"])
            if heard["event"] == "run.finished":
                break
        assert numbers == list(range(1, EVENTS + 1))
