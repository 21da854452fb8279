"""Every event of a run, numbered, for any number of readers, live and later, the same bytes.

A run that works in this process has a `RunLog`: appending to it wakes its readers at once and never waits for the
database. A background writer stores what was appended, in batches. Readers who are late, slow or in another process
read from the store. Memory is bounded: a log keeps what is not stored yet and a short tail beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from agent.durable.base import DurableError, RecordsAway, WorkLost
from agent.reading import Reading
from agent.records import StoredEvent

if TYPE_CHECKING:
    from agent.event_store import EventStore

log = logging.getLogger(__name__)

MAX_BEHIND = 500  # events of a run that may not be stored yet
TAIL = 256  # events that a log keeps in memory after they are stored
WRITE_INTERVAL = 0.2  # seconds between two batches, unless somebody waits
POLL_INTERVAL = 0.2  # seconds, for a run that works in another process
PAGE = 500  # events read from the store at once


class RunLog:
    """The events of one run while it works here."""

    def __init__(
        self, run_id: str, *, last: int, attempt: int, wake_writer: Callable[[], None], hurry: Callable[[], None]
    ) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.begun_after = self.last = self.stored = last
        self.closed = False
        self.lost = False
        self.broken: Exception | None = None
        self._tail: list[StoredEvent] = []
        self._wake_writer = wake_writer
        self._hurry = hurry
        self._told: Counter[tuple[str, bytes]] = Counter()
        self._readers: list[asyncio.Future[None]] = []
        self._storers: list[asyncio.Future[None]] = []

    @property
    def first(self) -> int:
        """Sequence of the oldest event in memory; `last + 1` when there is none."""
        return self.last + 1 - len(self._tail)

    @property
    def behind(self) -> int:
        """Events that are not stored yet."""
        return self.last - self.stored

    def tell_no_more(self, told: Sequence[StoredEvent]) -> None:
        """These events were stored before a crash. The run is gone through again, and must not tell them again.

        Tokens are no part of it: what is generated again is told again.
        """
        self._told = Counter((event.type, event.data) for event in told if event.type != "token")

    def append(self, type: str, data: bytes) -> None:
        """Number an event and show it to every reader."""
        if self._told:
            if self._told[type, data] > 0:
                self._told[type, data] -= 1
                return
            self._told = +self._told
        self.last += 1
        self._tail.append(StoredEvent(self.last, type, data))
        self._wake_writer()
        _wake(self._readers)

    def close(self, *final: StoredEvent, lost: bool = False) -> None:
        """Show what is stored already, and end every reader after it; `lost`: let them go on where the run does."""
        for event in final:
            self.last = self.stored = event.sequence
            self._tail.append(event)
        self.closed = True
        self.lost = lost
        _wake(self._readers)
        _wake(self._storers)

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
        _wake(self._storers)

    def fail(self, error: Exception) -> None:
        """The writer gave up."""
        self.broken = error
        _wake(self._storers)

    def mend(self) -> None:
        """Let the writer try again."""
        self.broken = None
        self._wake_writer()

    def grown(self) -> asyncio.Future[None]:
        """Done when something is appended, or the log is closed. Whoever waits may end it before."""
        return _waiter(self._readers)

    async def keep_up(self) -> None:
        """Called after each event: wait where too many are not stored yet.

        Raises:
            WorkLost, RecordsAway: As `stored_by_now`.
        """
        if self.behind > MAX_BEHIND:
            await self.stored_by_now()

    async def stored_by_now(self) -> None:
        """`flushed`, for whoever is at work on the run.

        Raises:
            WorkLost: Another process has taken the run over.
            RecordsAway: The writer gave up: the database is away.
        """
        try:
            await self.flushed()
        except DurableError:
            raise
        except Exception as error:
            raise RecordsAway(str(error)) from error

    async def flushed(self) -> None:
        """Have everything appended so far stored, and wait until it is.

        Raises:
            WorkLost: Another process has taken the run over.
            Exception: The writer could not store this run's events.
        """
        goal = self.last
        if self.stored < goal:
            self._hurry()
        while self.stored < goal:
            if self.broken is not None:
                raise self.broken
            await _waiter(self._storers)


def _waiter(waiting: list[asyncio.Future[None]]) -> asyncio.Future[None]:
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting.append(waiter)
    return waiter


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    if waiting:
        waiters = waiting.copy()
        waiting.clear()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class EventLog:
    """The logs of all runs that work in this process, and the way to everybody's stored events."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._logs: dict[str, RunLog] = {}
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._writing_since: float | None = None  # as the loop tells it
        self._stopped = False

    def start(self) -> None:
        """Begin to store."""
        self._stopped = False
        self._writer = asyncio.create_task(self._write_forever(), name="event-writer")

    async def stop(self) -> None:
        """Store what is left and end, and every reader with it. No run may work here any more."""
        self._stopped = True
        if self._writer is None:
            return
        for run_log in list(self._logs.values()):
            await run_log.flushed()
        self._writer.cancel()
        await asyncio.wait([self._writer])
        self._writer = None

    def open(self, run_id: str, *, last: int, attempt: int) -> RunLog:
        """The log of a run that works here from now on.

        Args:
            last: The highest sequence given out before.
            attempt: The run's fencing token: with an older one than the run has nothing is stored.
        """
        run_log = self._logs[run_id] = RunLog(
            run_id, last=last, attempt=attempt, wake_writer=self._wake.set, hurry=self._urgent.set
        )
        return run_log

    @property
    def unstored(self) -> int:
        """Events that are not in the database yet."""
        return sum(run_log.behind for run_log in self._logs.values())

    @property
    def lag(self) -> float:
        """Seconds since the writer began to store what it is still storing."""
        return 0.0 if self._writing_since is None else asyncio.get_running_loop().time() - self._writing_since

    @property
    def writes(self) -> bool:
        """The writer is there."""
        return self._writer is not None and not self._writer.done()

    def close(self, run_log: RunLog, *final: StoredEvent, lost: bool = False) -> None:
        """The run rests, and `final` is stored already; or it is `lost` to another process."""
        if self._logs.get(run_log.run_id) is run_log:
            del self._logs[run_log.run_id]
        run_log.close(*final, lost=lost)

    async def stored(self, run_id: str, *, after: int) -> list[StoredEvent]:
        """Every event of a run above `after` that is in the database."""
        return await self._store.read_all(run_id, after=after)

    def live(self, run_id: str) -> RunLog | None:
        """The log of a run that works here."""
        return self._logs.get(run_id)

    def reading(self, run_id: str, *, after: int = 0) -> Reading:
        """Reads the events above `after`, until the run rests, or this process stops while it goes on elsewhere."""
        return Reading(self, run_id, after=after)

    async def read(self, run_id: str, *, after: int = 0) -> AsyncGenerator[StoredEvent]:
        """What `reading` hands out, one by one."""
        async with aclosing(self.reading(run_id, after=after)) as reading:
            while not reading.over:
                for event in await reading.next():
                    yield event

    async def look_up(self, run_id: str, *, after: int) -> tuple[list[StoredEvent], bool]:
        """Stored events above `after` of a run that does not work here, or the first of them, and whether they are the
        last; none where there is nothing new.

        Raises:
            RunNotFound: There is no such run.
        """
        rest = await self._store.resting_at(run_id)
        page = await self._store.read(run_id, after=after, limit=PAGE)
        last = page[-1].sequence if page else after
        over = (rest is not None and last >= rest) or (not page and self._stopped and run_id not in self._logs)
        if not page and not over and run_id not in self._logs:
            await asyncio.sleep(POLL_INTERVAL)
        return page, over

    async def forgotten(self, run_log: RunLog, *, after: int) -> list[StoredEvent]:
        """Stored events above `after` that the log's memory does not hold any more, or the first of them."""
        return await self._store.read(run_log.run_id, after=after, limit=PAGE)

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._urgent.clear()
            await self._write_once()
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_INTERVAL):
                    await self._urgent.wait()

    async def _write_once(self) -> None:
        batch = [(run_log, run_log.unstored()) for run_log in self._logs.values() if run_log.behind]
        if not batch:
            return
        self._writing_since = asyncio.get_running_loop().time()
        try:
            failures = await self._store.write([(run_log.run_id, run_log.attempt, events) for run_log, events in batch])
        except Exception as bug:  # noqa: BLE001  a writer that died would let every run wait for ever
            failures = {run_log.run_id: bug for run_log, _ in batch}
        finally:
            self._writing_since = None
        for run_log, events in batch:
            failure = failures.get(run_log.run_id)
            if failure is None:
                run_log.mark_stored(events[-1].sequence)
            elif run_log.broken is None:
                if not isinstance(failure, WorkLost):
                    log.error("events_not_stored", extra={"run_id": run_log.run_id}, exc_info=failure)
                run_log.fail(failure)
