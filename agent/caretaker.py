"""What a process does besides what it is asked: it takes over from the dead, and sees to what was left lying."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.deps import Services
from agent.ending import CANCELLED
from agent.run_store import RunStore
from agent.runner import Runner
from agent.webhooks.deliveries import Deliveries

if TYPE_CHECKING:
    from prisma.client.models import Run

log = logging.getLogger(__name__)

SWEEP_INTERVAL = 60.0  # seconds between two looks for approvals whose time is over, and for records nobody needs
KEEP_RECORDS = 3_600.0  # seconds that the engine's records of finished work are kept
CANCEL_INTERVAL = 0.25  # seconds between two looks for cancellations that came to another process
STRAY_INTERVAL = 2.0  # seconds between two looks for runs of ours that nobody works on
STALE_AFTER = 120.0  # seconds after which a dead process's run that no engine takes up is given up


@dataclass(slots=True)
class Caretaker:
    """Watches the runs of this process, and those of processes that died.

    Args:
        sweep: Called now and then, for what only the whole agent can do.
    """

    services: Services
    runs: RunStore
    runner: Runner
    deliveries: Deliveries
    replica_id: str
    sweep: Callable[[], Awaitable[None]]
    _watchers: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def start(self) -> None:
        """Watch until `stop`."""
        self._watchers = [
            asyncio.create_task(self._sweep(), name="sweeper"),
            asyncio.create_task(self._watch_cancels(), name="cancel-watcher"),
            asyncio.create_task(self._watch_strays(), name="stray-watcher"),
        ]

    async def stop(self) -> None:
        """Watch no more."""
        for task in self._watchers:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers = []

    async def take_over(self, replica_id: str) -> bool:
        """Let a dead process's runs go on. True when it has none left."""
        recovered = await self.services.engine.recover([replica_id])
        rows = await self.runs.owned_by(replica_id)
        await self._adopt(rows)
        await self.deliveries.take_over(replica_id)
        return not rows and not recovered

    async def adopt_orphans(self) -> None:
        """Runs at work whose process nobody knows any more."""
        replica_ids = [row.id for row in await self.services.db.replica.find_many()]
        await self._adopt(await self.runs.not_owned_by(replica_ids))
        await self.deliveries.adopt_orphans(replica_ids)

    async def _adopt(self, rows: Sequence[Run]) -> None:
        now = self.services.clock()
        for row in rows:
            fresh = (now - row.updated_at).total_seconds() < STALE_AFTER
            if self.services.engine.durable and (await self.runner.take_over(row) or fresh):
                continue  # the engine sees to it, here or elsewhere
            await self.runner.interrupt(row)
            log.warning("run_interrupted", extra={"run_id": row.id})

    async def _watch_cancels(self) -> None:
        """Cancellations of our runs that came to another process."""
        while True:
            await asyncio.sleep(CANCEL_INTERVAL)
            if not self.runner.busy:
                continue
            try:
                wanted = await self.runs.cancels_for(self.replica_id)
                seen = [run_id for run_id in wanted if self.runner.stop(run_id, CANCELLED)]
                if seen:
                    await self.runs.cancel_seen(seen)
            except Exception:
                log.exception("cancels_not_read")  # a database that is away comes back

    async def _watch_strays(self) -> None:
        """Runs that are ours and that we do not work on: a request, a decision or an attempt was broken off."""
        seen: set[str] = set()
        while True:
            await asyncio.sleep(STRAY_INTERVAL)
            try:
                await self.runner.drop_lost()
                rows = await self.runs.owned_by(self.replica_id)
                strays = [row for row in rows if not self.runner.works_on(row.id)]
                revived = {row.id for row in strays if row.id in seen and await self.runner.revive(row)}
                await self._adopt([row for row in strays if row.id in seen - revived])
                seen = {row.id for row in strays} - revived
            except Exception:
                log.exception("strays_not_read")  # a database that is away comes back

    async def _sweep(self) -> None:
        """Overdue approvals expire even when nobody looks; records that nobody needs go."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            try:
                await self.adopt_orphans()
                await self.sweep()
                await self.services.engine.forget_finished(older_than_seconds=KEEP_RECORDS)
            except Exception:
                log.exception("sweep_failed")  # a database that is away comes back
