"""Events in the database."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from agent.errors import RunNotFound
from agent.records import RESTING, StoredEvent
from prisma import Prisma
from prisma.errors import DatabaseConnectionError, PrismaError, TransactionError, WriteConflictError

PATIENCE = 30.0  # seconds that a database may be away before the runs that need it fail
ROWS = 1_000  # events written by one statement

# One statement for any number of events. `create_many` would have the query compiler plan each number of rows anew.
INSERT = {
    "sqlite": """INSERT INTO "Event" ("run_id", "sequence", "type", "data")
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
               json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(?)""",
    "postgresql": """INSERT INTO "Event" ("run_id", "sequence", "type", "data")
        SELECT e->>0, (e->>1)::int, e->>2, e->>3 FROM json_array_elements($1::json) AS e""",
}
TRANSIENT = (DatabaseConnectionError, WriteConflictError, TransactionError)


def again(seconds: float = PATIENCE) -> AsyncRetrying:
    """Try again while the database is busy or away: for whole transactions and single statements, which are atomic."""
    return AsyncRetrying(
        retry=retry_if_exception_type(TRANSIENT),
        wait=wait_exponential_jitter(multiplier=0.02, max=1.0, jitter=0.05),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


class EventStore:
    """Reads and writes `events`."""

    def __init__(self, db: Prisma) -> None:
        self._db = db

    async def write(self, batches: Sequence[tuple[str, Sequence[StoredEvent]]]) -> dict[str, PrismaError]:
        """Store events of several runs, each run's in order. Returns what went wrong, by run."""
        try:
            await self._insert(batches)
        except PrismaError:
            failures: dict[str, PrismaError] = {}
            for run_id, events in batches:  # one deleted run must not cost the others their events
                try:
                    await self._insert([(run_id, await self._missing(run_id, events))])
                except PrismaError as error:
                    failures[run_id] = error
            return failures
        return {}

    async def _missing(self, run_id: str, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Those not stored yet: the connection may have been lost after a write and before we heard of it."""
        last = await self._db.event.find_first(where={"run_id": run_id}, order={"sequence": "desc"})
        return events if last is None else [event for event in events if event.sequence > last.sequence]

    async def _insert(self, batches: Sequence[tuple[str, Sequence[StoredEvent]]]) -> None:
        rows = [
            (run_id, event.sequence, event.type, event.data.decode()) for run_id, events in batches for event in events
        ]
        sql = INSERT[self._db.engine.provider]
        for start in range(0, len(rows), ROWS):
            part = orjson.dumps(rows[start : start + ROWS]).decode()
            async for attempt in again():
                with attempt:
                    await self._db.execute_raw(sql, part)

    async def read(self, run_id: str, *, after: int, limit: int) -> list[StoredEvent]:
        """Up to `limit` stored events above `after`, in order."""
        rows = await self._db.event.find_many(
            where={"run_id": run_id, "sequence": {"gt": after}}, order={"sequence": "asc"}, take=limit
        )
        return [StoredEvent(row.sequence, row.type, row.data.encode()) for row in rows]

    async def resting_at(self, run_id: str) -> int | None:
        """Sequence of the last event of a run that rests; None while it works.

        Raises:
            RunNotFound: There is no such run.
        """
        row = await self._db.run.find_unique(where={"id": run_id})
        if row is None:
            raise RunNotFound(run_id)
        return row.last_sequence if row.status in RESTING else None
