"""Every event of a run, numbered, for any number of readers, live and later, the same bytes.

A run that works in this process has a `RunLog`: appending to it wakes its readers at once and never waits for the
database. A background writer stores what was appended, in batches. Readers who are late, slow or in another process
read from the store. Memory is bounded: a log keeps what is not stored yet and a short tail beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from agent.records import StoredEvent

if TYPE_CHECKING:
    from agent.event_store import EventStore

log = logging.getLogger(__name__)

TAIL = 256  # events that a log keeps in memory after they are stored
WRITE_INTERVAL = 0.02  # seconds between two batches
POLL_INTERVAL = 0.2  # seconds, for a run that works in another process
PAGE = 500  # events read from the store at once


class RunLog:
    """The events of one run while it works here."""

    def __init__(self, run_id: str, *, last: int, wake_writer: asyncio.Event) -> None:
        self.run_id = run_id
        self.last = last
        self.stored = last
        self.closed = False
        self.broken: Exception | None = None
        self._tail: list[StoredEvent] = []
        self._wake_writer = wake_writer
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def first(self) -> int:
        """Sequence of the oldest event in memory; `last + 1` when there is none."""
        return self.last + 1 - len(self._tail)

    def append(self, type: str, data: bytes) -> StoredEvent:
        """Number an event and show it to every reader."""
        self.last += 1
        event = StoredEvent(self.last, type, data)
        self._tail.append(event)
        self._wake_writer.set()
        self._wake_readers()
        return event

    def close(self, *final: StoredEvent) -> None:
        """Show what is stored already, and end every reader after it."""
        for event in final:
            self.last = self.stored = event.sequence
            self._tail.append(event)
        self.closed = True
        self._wake_readers()

    def unstored(self) -> list[StoredEvent]:
        """What the writer has to store."""
        return self.since(self.stored)

    def since(self, after: int, *, limit: int | None = None) -> list[StoredEvent]:
        """Events in memory with a sequence above `after`."""
        start = max(0, after + 1 - self.first)
        return self._tail[start:] if limit is None else self._tail[start : start + limit]

    def mark_stored(self, sequence: int) -> None:
        """Up to here is in the database."""
        self.stored = sequence
        surplus = min(len(self._tail) - TAIL, self.stored + 1 - self.first)
        if surplus > TAIL:
            del self._tail[:surplus]
        self._wake_readers()

    def fail(self, error: Exception) -> None:
        """The writer gave up."""
        self.broken = error
        self._wake_readers()

    async def changed(self) -> None:
        """Wait until something was appended, stored or closed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    async def flushed(self) -> None:
        """Wait until everything appended so far is stored.

        Raises:
            Exception: The writer could not store this run's events.
        """
        goal = self.last
        while self.stored < goal:
            if self.broken is not None:
                raise self.broken
            await self.changed()

    def _wake_readers(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class EventLog:
    """The logs of all runs that work in this process, and the way to everybody's stored events."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._logs: dict[str, RunLog] = {}
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to store."""
        self._writer = asyncio.create_task(self._write_forever(), name="event-writer")

    async def stop(self) -> None:
        """Store what is left and end. Every run must have come to rest before."""
        if self._writer is None:
            return
        for run_log in list(self._logs.values()):
            await run_log.flushed()
        self._writer.cancel()
        await asyncio.wait([self._writer])
        self._writer = None

    def open(self, run_id: str, *, last: int) -> RunLog:
        """The log of a run that works here from now on; `last` is the highest sequence given out before."""
        run_log = self._logs[run_id] = RunLog(run_id, last=last, wake_writer=self._wake)
        return run_log

    def close(self, run_log: RunLog, *final: StoredEvent) -> None:
        """The run rests; `final` is stored already."""
        if self._logs.get(run_log.run_id) is run_log:
            del self._logs[run_log.run_id]
        run_log.close(*final)

    async def read(self, run_id: str, *, after: int = 0) -> AsyncGenerator[StoredEvent]:
        """Events above `after`, in order, until the run rests."""
        while True:
            run_log = self._logs.get(run_id)
            if run_log is None:
                rest = await self._store.resting_at(run_id)
                page = await self._store.read(run_id, after=after, limit=PAGE)
                for event in page:
                    yield event
                    after = event.sequence
                if rest is not None and after >= rest:
                    return
                if not page and run_id not in self._logs:
                    await asyncio.sleep(POLL_INTERVAL)
                continue
            async for event in self._follow(run_log, after):
                yield event
                after = event.sequence
            return

    async def _follow(self, run_log: RunLog, after: int) -> AsyncGenerator[StoredEvent]:
        while True:
            while after + 1 < run_log.first:  # too late for memory; what is not there any more is stored
                page = await self._store.read(run_log.run_id, after=after, limit=PAGE)
                for event in page:
                    yield event
                    after = event.sequence
                if not page:
                    return  # the run was deleted under us
            while batch := run_log.since(after, limit=TAIL):
                if batch[0].sequence != after + 1:
                    break  # it was dropped from memory while we yielded
                for event in batch:
                    yield event
                after = batch[-1].sequence
            else:
                if run_log.closed:
                    return
                await run_log.changed()

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._write_once()
            await asyncio.sleep(WRITE_INTERVAL)

    async def _write_once(self) -> None:
        batch = [(run_log, events) for run_log in self._logs.values() if (events := run_log.unstored())]
        if not batch:
            return
        failures = await self._store.write([(run_log.run_id, events) for run_log, events in batch])
        for run_log, events in batch:
            failure = failures.get(run_log.run_id)
            if failure is None:
                run_log.mark_stored(events[-1].sequence)
            elif run_log.broken is None:
                log.error("events_not_stored", extra={"run_id": run_log.run_id}, exc_info=failure)
                run_log.fail(failure)
