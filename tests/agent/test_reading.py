"""A reader of a run that waits for other things too: it can be woken, and is never told anything twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.event_log import EventLog
from agent.reading import Reading
from agent.records import StoredEvent
from tests.agent.test_event_log import SlowStore, log, new_run, rest, store

if TYPE_CHECKING:
    from prisma import Prisma


__all__ = ["log", "store"]


async def sequences(reading: Reading) -> list[int]:
    """Everything until it is over."""
    told: list[int] = []
    while not reading.over:
        told += [event.sequence for event in await reading.next()]
    return told


async def test_events_that_came_together_are_handed_out_together(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    reading = log.reading("run_1")
    waiting = asyncio.create_task(reading.next())
    await asyncio.sleep(0)
    for _ in range(3):
        run_log.append("token", b"{}")
    assert [event.sequence for event in await waiting] == [1, 2, 3]
    await rest(database, log, run_log)
    assert [event.sequence for event in await reading.next()] == [4]
    assert reading.over


async def test_a_reader_of_a_live_run_can_be_woken(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    reading = log.reading("run_1")
    waiting = asyncio.create_task(reading.next())
    await asyncio.sleep(0)
    reading.wake()
    assert await waiting == ()
    assert not reading.over
    run_log.append("token", b"{}")
    assert [event.sequence for event in await reading.next()] == [1]
    await rest(database, log, run_log)


async def test_a_wake_that_comes_too_early_is_not_lost(database: Prisma, log: EventLog):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    reading = log.reading("run_1")
    reading.wake()
    async with asyncio.timeout(1):
        assert await reading.next() == ()
    await rest(database, log, run_log)


async def test_a_reader_that_is_woken_while_the_database_is_slow_is_told_everything_once(
    database: Prisma, store: SlowStore, log: EventLog
):
    run_log = log.open(await new_run(database), last=0, attempt=0)
    for _ in range(3):
        run_log.append("token", b"{}")
    await run_log.flushed()
    elsewhere = EventLog(store)  # a process that does not work on the run
    reading = elsewhere.reading("run_1")
    store.page_gate.clear()
    waiting = asyncio.create_task(reading.next())
    await store.page_asked.wait()
    reading.wake()
    assert await waiting == ()
    taken_over = elsewhere.open("run_1", last=3, attempt=0)  # and that takes it over meanwhile
    taken_over.append("run.resumed", b"{}")
    taken_over.mark_stored(4)
    store.page_gate.set()
    told = asyncio.create_task(sequences(reading))
    await asyncio.sleep(0.05)
    elsewhere.close(taken_over, StoredEvent(5, "run.finished", b"{}"))
    assert await told == [1, 2, 3, 4, 5]
    assert store.pages == 1
    log.close(run_log)


async def test_a_reader_that_is_closed_asks_for_nothing_more(database: Prisma, store: SlowStore, log: EventLog):
    await new_run(database)
    reading = log.reading("run_1")
    store.page_gate.clear()
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(reading.next())
    await store.page_asked.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await reading.aclose()
    assert asyncio.all_tasks() == before
