"""The event log alone: order, the same bytes for everyone, bounded memory, no waiting for the database."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from agent.durable.base import WorkLost
from agent.emitter import encode
from agent.errors import RunNotFound
from agent.event_log import TAIL, EventLog, RunLog
from agent.event_store import EventStore
from agent.events import Message
from agent.records import StoredEvent

if TYPE_CHECKING:
    from prisma import Prisma


class SlowStore(EventStore):
    """The real store, held up as a test wants: writes by `gate`, pages by `page_gate`; counts both."""

    def __init__(self, db: Prisma) -> None:
        super().__init__(db)
        self.gate = asyncio.Event()
        self.gate.set()
        self.page_gate = asyncio.Event()
        self.page_gate.set()
        self.page_asked = asyncio.Event()
        self.batches: list[int] = []
        self.pages = 0

    async def write(self, batches: Any) -> Any:
        await self.gate.wait()
        self.batches.append(sum(len(events) for _, _, events in batches))
        return await super().write(batches)

    async def read(self, run_id: str, *, after: int, limit: int) -> list[StoredEvent]:
        self.pages += 1
        self.page_asked.set()
        page = await super().read(run_id, after=after, limit=limit)
        await self.page_gate.wait()
        return page


@pytest_asyncio.fixture
async def store(database: Prisma) -> SlowStore:
    return SlowStore(database)


@pytest_asyncio.fixture
async def log(store: SlowStore) -> AsyncGenerator[EventLog]:
    events = EventLog(store)
    events.start()
    yield events
    store.gate.set()
    store.page_gate.set()
    await events.stop()


async def new_run(db: Prisma, run_id: str = "run_1") -> str:
    thread = await db.thread.create(data={"tenant_id": "default"})
    await db.run.create(
        data={
            "id": run_id,
            "tenant_id": "default",
            "thread_id": thread.id,
            "status": "running",
            "input": "",
            "model": "test",
        }
    )
    return run_id


async def rest(db: Prisma, log: EventLog, run_log: RunLog) -> StoredEvent:
    """What the runner does at the end."""
    await run_log.flushed()
    final = StoredEvent(run_log.last + 1, "run.finished", b"{}")
    await db.event.create(data={"run_id": run_log.run_id, "sequence": final.sequence, "type": final.type, "data": "{}"})
    await db.run.update(where={"id": run_log.run_id}, data={"status": "succeeded", "last_sequence": final.sequence})
    log.close(run_log, final)
    return final


async def collect(log: EventLog, run_id: str, *, after: int = 0) -> list[StoredEvent]:
    return [event async for event in log.read(run_id, after=after)]


async def test_early_late_and_resuming_readers_get_the_same_bytes(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    early = asyncio.create_task(collect(log, "run_1"))
    for number in range(500):
        run_log.append("token", b'{"text":"%d"}' % number)
        if number % 50 == 0:
            await asyncio.sleep(0.001)
    middle = asyncio.create_task(collect(log, "run_1", after=250))
    await rest(database, log, run_log)
    whole = await early
    assert [event.sequence for event in whole] == list(range(1, 502))
    assert await collect(log, "run_1") == whole
    assert await middle == whole[250:]
    for after in (0, 1, 99, 500):
        assert await collect(log, "run_1", after=after) == whole[after:]


async def test_readers_do_not_wait_for_the_database(database: Prisma, store: SlowStore, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    store.gate.clear()
    reader = log.read("run_1")
    run_log.append("token", b'{"text":"now"}')
    async with asyncio.timeout(1):
        assert (await anext(reader)).data == b'{"text":"now"}'
    assert await database.event.count() == 0
    await reader.aclose()


async def test_events_are_written_in_few_batches(database: Prisma, store: SlowStore, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    for number in range(300):
        run_log.append("token", b"{}")
        if number % 30 == 0:
            await asyncio.sleep(0)
    await run_log.flushed()
    assert sum(store.batches) == 300
    assert len(store.batches) <= 5
    await rest(database, log, run_log)


async def test_memory_keeps_a_bounded_tail_once_events_are_stored(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    for _ in range(5 * TAIL):
        run_log.append("token", b"{}")
    await run_log.flushed()
    assert run_log.last + 1 - run_log.first <= 2 * TAIL
    await rest(database, log, run_log)
    assert len(await collect(log, "run_1")) == 5 * TAIL + 1


async def test_a_slow_reader_reads_from_the_store_what_memory_forgot(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    run_log.append("token", b"{}")
    reader = log.read("run_1")
    got = [await anext(reader)]
    for _ in range(5 * TAIL):
        run_log.append("token", b"{}")
    await run_log.flushed()
    assert run_log.first > 2
    await rest(database, log, run_log)
    got += [event async for event in reader]
    assert [event.sequence for event in got] == list(range(1, 5 * TAIL + 3))


async def test_a_reader_without_a_live_log_waits_for_the_run_to_rest(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    elsewhere = asyncio.create_task(collect(EventLog(EventStore(database)), "run_1"))
    run_log.append("token", b"{}")
    await asyncio.sleep(0.3)
    final = await rest(database, log, run_log)
    assert [event.sequence for event in await elsewhere] == [1, final.sequence]


async def test_one_deleted_run_does_not_cost_another_its_events(database: Prisma, store: SlowStore, log: EventLog):
    gone, kept = log.open("no_such_run", last=0, attempt=0), log.open(await new_run(database), last=0, attempt=0)
    gone.append("token", b"{}")
    kept.append("token", b"{}")
    await kept.flushed()
    assert await database.event.count(where={"run_id": "run_1"}) == 1
    with pytest.raises(WorkLost):
        await gone.flushed()
    log.close(gone)
    await rest(database, log, kept)


async def test_events_that_were_stored_already_are_not_stored_twice(database: Prisma, store: SlowStore):
    await new_run(database)
    events = [StoredEvent(number, "token", b"{}") for number in (1, 2, 3)]
    assert await store.write([("run_1", 0, events[:2])]) == {}
    assert await store.write([("run_1", 0, events)]) == {}
    assert await database.event.count() == 3


async def test_a_run_that_is_not_there_is_not_found(log: EventLog):
    with pytest.raises(RunNotFound):
        await collect(log, "run_9")


async def test_a_reader_waits_across_the_numbers_that_a_takeover_leaves_out(database: Prisma, log: EventLog):
    before = log.open(await new_run(database), last=0, attempt=0)
    before.append("run.started", b"{}")
    await before.flushed()
    log.close(before, lost=True)
    taken_over = log.open("run_1", last=1001, attempt=0)
    early = asyncio.create_task(collect(log, "run_1"))
    await asyncio.sleep(0.1)  # it has read what is stored, and nothing was told yet
    taken_over.append("run.resumed", b"{}")
    late = asyncio.create_task(collect(log, "run_1", after=3))
    final = await rest(database, log, taken_over)
    assert [event.sequence for event in await early] == [1, 1002, final.sequence]
    assert [event.sequence for event in await late] == [1002, final.sequence]


async def test_a_reader_of_a_run_that_is_deleted_under_it_ends(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    for _ in range(4 * TAIL):
        run_log.append("token", b"{}")
    await run_log.flushed()
    await database.run.delete_many()
    assert await collect(log, "run_1") == []
    log.close(run_log)


def test_an_event_in_memory_is_as_large_as_its_json():
    """orjson's results hold on to a buffer of 4 KiB each, and a log keeps hundreds of events of every run."""
    tracemalloc.start()
    try:
        kept = [encode(Message(text=f"{number}")) for number in range(100)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 100 * (len(kept[-1]) + 200)
