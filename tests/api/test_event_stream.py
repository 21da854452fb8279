"""The SSE response alone, over a source of events and an ASGI server that the tests play."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import pytest
from starlette.types import Message

from agent.event_log import EventLog
from agent.records import StoredEvent
from api.sse import HEARTBEAT, MOST_WAITING, EventStream, Gathered, RunFrames, Source, frame

if TYPE_CHECKING:
    from agent.event_store import EventStore


class Reader:
    """The server's side of one response: collects what is sent, may leave, may be slow."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.got_body = asyncio.Event()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            await self.may_send.wait()
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self.got_body.set()

    @property
    def bodies(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message["type"] == "http.response.body"]


def event(sequence: int, data: bytes = b"{}") -> StoredEvent:
    return StoredEvent(sequence, "token", data)


async def play(source: AsyncIterator[StoredEvent], reader: Reader, *, heartbeat_seconds: float = 15.0) -> None:
    frames = (frame(event) async for event in source)
    await send(Gathered(frames), reader, heartbeat_seconds=heartbeat_seconds)


async def send(source: Source, reader: Reader, *, heartbeat_seconds: float = 15.0) -> None:
    await EventStream(source, heartbeat_seconds=heartbeat_seconds)({"type": "http"}, reader.receive, reader.send)


def test_an_event_is_framed_as_the_standard_says():
    stored = StoredEvent(7, "token", b'{"text":"h\xc3\xa9llo"}')
    assert frame(stored) == b'id: 7\nevent: token\ndata: {"text":"h\xc3\xa9llo"}\n\n'


async def test_the_headers_keep_every_proxy_from_storing_or_holding_it_back():
    async def nothing() -> AsyncIterator[StoredEvent]:
        for none in ():
            yield none

    reader = Reader()
    await play(nothing(), reader)
    headers = dict(reader.sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-accel-buffering"] == b"no"
    assert reader.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_events_that_arrive_together_leave_in_one_send():
    async def burst() -> AsyncIterator[StoredEvent]:
        for sequence in range(1, 4):
            yield event(sequence)
        await asyncio.sleep(0.01)
        yield event(4)

    reader = Reader()
    await play(burst(), reader)
    assert reader.bodies == [b"".join(frame(event(n)) for n in (1, 2, 3)), frame(event(4))]
    assert reader.sent[-1]["more_body"] is False


async def test_a_slow_reader_gets_what_has_gathered_meanwhile_in_one_piece():
    reader = Reader()

    async def source() -> AsyncIterator[StoredEvent]:
        yield event(1)
        await asyncio.sleep(0.01)
        for sequence in range(2, 50):
            yield event(sequence)
            await asyncio.sleep(0)
        reader.may_send.set()

    reader.may_send.clear()
    await play(source(), reader)
    assert b"".join(reader.bodies) == b"".join(frame(event(n)) for n in range(1, 50))
    assert len(reader.bodies) <= 4


async def test_a_reader_that_does_not_read_costs_bounded_memory():
    asked = 0

    async def endless() -> AsyncIterator[StoredEvent]:
        nonlocal asked
        while True:
            asked += 1
            yield event(asked)

    reader = Reader()
    reader.may_send.clear()
    playing = asyncio.create_task(play(endless(), reader))
    await asyncio.sleep(0.05)
    held = sum(len(frame(event(number))) for number in range(1, asked + 1))
    assert held <= 2 * MOST_WAITING + 1_000  # what is being sent, and what waits
    reader.may_send.set()
    await asyncio.sleep(0.05)
    assert asked > 2 * held // len(frame(event(1)))
    reader.left.set()
    await asyncio.wait_for(playing, 1)


async def test_silence_is_filled_with_heartbeats_and_events_are_not():
    async def quiet() -> AsyncIterator[StoredEvent]:
        yield event(1)
        await asyncio.sleep(0.12)
        yield event(2)

    reader = Reader()
    await play(quiet(), reader, heartbeat_seconds=0.03)
    body = b"".join(reader.bodies)
    assert body.startswith(frame(event(1)) + HEARTBEAT)
    assert body.endswith(HEARTBEAT + frame(event(2)))
    assert 2 <= body.count(HEARTBEAT) <= 4


async def test_when_the_reader_leaves_the_source_is_closed_and_nothing_more_is_sent():
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[StoredEvent]:
        try:
            yield event(1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    reader = Reader()
    playing = asyncio.create_task(play(endless(), reader))
    await reader.got_body.wait()
    reader.left.set()
    await asyncio.wait_for(playing, 1)
    assert closed.is_set()
    assert reader.bodies == [frame(event(1))]


async def test_a_source_that_fails_leaves_the_stream_visibly_unfinished():
    async def broken() -> AsyncIterator[StoredEvent]:
        yield event(1)
        raise RuntimeError("the log is gone")

    reader = Reader()
    with pytest.raises(RuntimeError, match="the log is gone"):
        await play(broken(), reader)
    assert reader.bodies == [frame(event(1))]
    assert reader.sent[-1]["more_body"] is True


async def test_no_task_outlives_the_stream():
    async def short() -> AsyncIterator[StoredEvent]:
        yield event(1)

    before = asyncio.all_tasks()
    await play(short(), Reader())
    assert asyncio.all_tasks() == before


async def test_a_stream_that_has_ended_is_gone_without_the_garbage_collector():
    """It holds its reader's events; a hundred a second of them would fill memory until somebody looks for cycles."""

    async def short() -> AsyncIterator[StoredEvent]:
        yield event(1)

    gc.disable()
    try:
        stream = EventStream(Gathered(frame(one) async for one in short()), heartbeat_seconds=15.0)
        gone = weakref.ref(stream)
        reader = Reader()
        await stream({"type": "http"}, reader.receive, reader.send)
        del stream
        assert gone() is None
    finally:
        gc.enable()


async def test_a_reader_that_leaves_while_nothing_comes_ends_the_stream():
    log = EventLog(cast("EventStore", None))  # what is live is read from memory
    run_log = log.open("run_1", last=0, attempt=0)
    reader = Reader()
    playing = asyncio.create_task(send(RunFrames(log.reading("run_1")), reader))
    run_log.append("token", b"{}")
    await reader.got_body.wait()
    reader.left.set()
    await asyncio.wait_for(playing, 1)
    run_log.append("token", b"{}")
    assert reader.bodies == [frame(event(1))]


async def test_large_events_leave_in_pieces():
    """A slow reader keeps the piece that is being sent, and no more."""
    log = EventLog(cast("EventStore", None))
    run_log = log.open("run_1", last=0, attempt=0)
    reader = Reader()
    playing = asyncio.create_task(send(RunFrames(log.reading("run_1")), reader))
    await asyncio.sleep(0.01)
    for _ in range(10):
        run_log.append("token", b"x" * 100_000)
    log.close(run_log, event(11))
    await asyncio.wait_for(playing, 1)
    assert b"".join(reader.bodies).count(b"event: token") == 11
    assert max(map(len, reader.bodies)) < MOST_WAITING + 101_000
    assert len(reader.bodies) == 4
    assert [message["more_body"] for message in reader.sent[1:]] == [True, True, True, False]
