"""Events in the database."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from agent.attempts import Attempts
from agent.durable.base import WorkLost
from agent.errors import RunNotFound
from agent.records import RESTING, StoredEvent
from prisma import Prisma
from prisma.errors import DatabaseConnectionError, PrismaError, TransactionError, WriteConflictError

PATIENCE = 30.0  # seconds that a database may be away before the runs that need it fail
TX_WAIT = 30.0  # seconds that a transaction waits for a connection
ROWS = 1_000  # events written by one statement

# One statement for any number of events. `create_many` would have the query compiler plan each number of rows anew.
# Only who holds the run's fencing token (`attempt`) writes; on PostgreSQL the lock makes a takeover wait for us, or us
# wait for it.
INSERT = {
    "sqlite": """INSERT INTO "Event" ("run_id", "sequence", "type", "data")
        SELECT r."id", json_extract(e.value, '$[2]'), json_extract(e.value, '$[3]'), json_extract(e.value, '$[4]')
        FROM json_each(?) AS e
        JOIN "Run" AS r ON r."id" = json_extract(e.value, '$[0]') AND r."attempt" = json_extract(e.value, '$[1]')""",
    "postgresql": """INSERT INTO "Event" ("run_id", "sequence", "type", "data")
        SELECT r."id", (e->>2)::int, e->>3, e->>4
        FROM json_array_elements($1::json) AS e
        JOIN "Run" AS r ON r."id" = e->>0 AND r."attempt" = (e->>1)::int
        FOR SHARE OF r""",
}
Batch = tuple[str, int, Sequence[StoredEvent]]
"""A run's id, the token of who writes, and its events in order."""

TRANSIENT = (DatabaseConnectionError, WriteConflictError, TransactionError)


def _retrying(seconds: float) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(TRANSIENT),
        wait=wait_exponential_jitter(multiplier=0.02, max=1.0, jitter=0.05),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


def again(seconds: float = PATIENCE) -> Attempts:
    """Try again while the database is busy or away: for whole transactions and single statements, which are atomic."""
    return Attempts(TRANSIENT, lambda: _retrying(seconds))


class EventStore:
    """Reads and writes `events`."""

    def __init__(self, db: Prisma) -> None:
        self._db = db

    async def write(self, batches: Sequence[Batch]) -> dict[str, Exception]:
        """Store events of several runs, each run's in order. Returns what went wrong, by run."""
        try:
            if await self._insert(batches) == sum(len(events) for _, _, events in batches):
                return {}
        except PrismaError:
            pass  # which run's it was is found out below: one deleted run must not cost the others their events
        failures: dict[str, Exception] = {}
        for run_id, attempt, events in batches:
            try:
                await self._write_one(run_id, attempt, events)
            except (PrismaError, WorkLost) as error:
                failures[run_id] = error
        return failures

    async def _write_one(self, run_id: str, attempt: int, events: Sequence[StoredEvent]) -> None:
        row = await self._db.run.find_unique(where={"id": run_id})
        if row is None or row.attempt != attempt:
            raise WorkLost(run_id)
        missing = await self._missing(run_id, events)
        if await self._insert([(run_id, attempt, missing)]) < len(missing):
            raise WorkLost(run_id)

    async def _missing(self, run_id: str, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Those not stored yet: the connection may have been lost after a write and before we heard of it."""
        last = await self._db.event.find_first(where={"run_id": run_id}, order={"sequence": "desc"})
        return events if last is None else [event for event in events if event.sequence > last.sequence]

    async def _insert(self, batches: Sequence[Batch]) -> int:
        rows = [
            (run_id, attempt, event.sequence, event.type, event.data.decode())
            for run_id, attempt, events in batches
            for event in events
        ]
        sql, inserted = INSERT[self._db.engine.provider], 0
        for start in range(0, len(rows), ROWS):
            part = orjson.dumps(rows[start : start + ROWS]).decode()
            async for attempt in again():
                with attempt:
                    inserted += await self._db.execute_raw(sql, part)
        return inserted

    async def read(self, run_id: str, *, after: int, limit: int) -> list[StoredEvent]:
        """Up to `limit` stored events above `after`, in order."""
        rows = await self._db.event.find_many(
            where={"run_id": run_id, "sequence": {"gt": after}}, order={"sequence": "asc"}, take=limit
        )
        return [StoredEvent(row.sequence, row.type, row.data.encode()) for row in rows]

    async def read_all(self, run_id: str, *, after: int) -> list[StoredEvent]:
        """Every stored event above `after`, in order."""
        found: list[StoredEvent] = []
        while page := await self.read(run_id, after=found[-1].sequence if found else after, limit=ROWS):
            found += page
        return found

    async def resting_at(self, run_id: str) -> int | None:
        """Sequence of the last event of a run that rests; None while it works.

        Raises:
            RunNotFound: There is no such run.
        """
        row = await self._db.run.find_unique(where={"id": run_id})
        if row is None:
            raise RunNotFound(run_id)
        return row.last_sequence if row.status in RESTING else None
