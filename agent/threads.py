"""Threads that end: closed to new runs, emptied, and deleted as far as the ledger allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agent import access
from agent.errors import ThreadNotFound
from agent.event_store import TX_WAIT, again
from agent.principal import Principal
from prisma import DbNull

if TYPE_CHECKING:
    from prisma import Prisma


@dataclass(frozen=True, slots=True)
class Threads:
    """Deletes threads."""

    db: Prisma
    clock: Callable[[], datetime]

    async def close(self, thread_id: str, *, principal: Principal) -> None:
        """Let no new run begin. Whoever sees a thread may delete it: its user, and admins.

        Raises:
            ThreadNotFound: It is not there, or cannot be seen.
        """
        closed = await self.db.thread.update_many(
            data={"deleted_at": self.clock()}, where={**access.threads(principal), "id": thread_id}
        )
        if not closed:
            raise ThreadNotFound(thread_id)

    async def half_deleted(self) -> Sequence[tuple[str, str]]:
        """Id and tenant of threads that were closed, and whose process died before they were deleted."""
        rows = await self.db.thread.find_many(where={"deleted_at": {"not": None}, "messages": {"some": {}}}, take=100)
        return [(row.id, row.tenant_id) for row in rows]

    async def unfinished(self, thread_id: str) -> Sequence[str]:
        """Runs that have not ended, the last begun first: so no queued one begins when the one before it ends."""
        rows = await self.db.run.find_many(
            where={"thread_id": thread_id, "status": {"in": ["queued", "running", "waiting"]}},
            order={"created_at": "desc"},
        )
        return [row.id for row in rows]

    async def delete(self, thread_id: str) -> Sequence[tuple[str, int]]:
        """Delete everything that was said. Runs that changed or cost something keep their row, emptied: under the
        ledger's, and for what the company used.

        Returns:
            Id and number of the last stretch of each run.
        """
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    rows = await tx.run.find_many(where={"thread_id": thread_id}, include={"_count": True})
                    kept = [row.id for row in rows if row.steps or (row.count_ or {}).get("effects")]
                    if not kept:
                        await tx.thread.delete_many(where={"id": thread_id})
                    else:
                        await _empty(tx, thread_id, kept)
                    return [(row.id, row.stretch) for row in rows]
        raise AssertionError("the last attempt returns or raises")


async def _empty(tx: Prisma, thread_id: str, kept: Sequence[str]) -> None:
    await tx.run.delete_many(where={"thread_id": thread_id, "id": {"not_in": list(kept)}})
    await tx.message.delete_many(where={"thread_id": thread_id})
    await tx.chatturn.delete_many(where={"thread_id": thread_id})
    await tx.event.delete_many(where={"run_id": {"in": list(kept)}})
    await tx.run.update_many(data={"input": "", "state": DbNull, "request": DbNull}, where={"id": {"in": list(kept)}})
    await tx.thread.update_many(data={"title": ""}, where={"id": thread_id})
