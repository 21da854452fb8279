"""The processes that work on runs: each beats, and each watches the others.

A beat is a number in the replica's row that goes up. Who looks all the time and sees it stand still for `DEAD_AFTER`
seconds of its own clock (clocks need not agree) marks the replica dead, and whoever finds a dead one takes its work
over, until none is left.
A process on the same host that is known to be gone is dead at once, so a restart waits for nothing. To declare a living
process dead costs time, not effects: what it writes later is fenced off by `Run.attempt`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from prisma.errors import PrismaError

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Replica

log = logging.getLogger(__name__)

BEAT_INTERVAL = 1.0  # seconds
DEAD_AFTER = 4.0  # seconds without a beat
LOOK_GAP = 2.5  # seconds between two looks at the others, after which standing still proves nothing

_ours: set[str] = set()  # replicas of this very process: tests have several

TakeOver = Callable[[str], Awaitable[bool]]
"""Called with a dead replica's id, again and again until it answers True: nothing is left."""


@dataclass(slots=True)
class _Seen:
    beat: int
    at: float


@dataclass(slots=True)
class Replicas:
    """This process among the others."""

    db: Prisma
    replica_id: str
    clock: Callable[[], datetime]
    take_over: TakeOver
    _seen: dict[str, _Seen] = field(default_factory=dict[str, _Seen])
    _looked_at: float = 0.0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def join(self) -> None:
        """Let the others know us."""
        _ours.add(self.replica_id)
        await self.db.replica.create(
            data={"id": self.replica_id, "host": host(), "pid": os.getpid(), "started_at": self.clock()}
        )

    @property
    def alone(self) -> bool:
        """Nobody else was there at the last look."""
        return len(self._seen) <= 1

    def start_beating(self) -> None:
        """Let the others see that we live, until `leave`."""
        self._tasks.append(asyncio.create_task(self._forever(self._beat), name="replica-beat"))

    def start_watching(self) -> None:
        """Look at the others until `leave`."""
        self._tasks.append(asyncio.create_task(self._forever(self.watch), name="replica-watch"))

    async def leave(self) -> None:
        """Stop, and say that we are gone: what we have not finished is taken over at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        _ours.discard(self.replica_id)
        try:
            await self.db.replica.update_many(data={"dead_at": self.clock()}, where={"id": self.replica_id})
        except PrismaError:
            log.warning("replica_left_silently", exc_info=True)  # the others notice by themselves

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception:
                log.exception("replica_step_failed")  # a database that is away comes back
            await asyncio.sleep(BEAT_INTERVAL)

    async def _beat(self) -> None:
        """Also takes back a death that was declared too early: our new work is ours, the old one is fenced."""
        beaten = await self.db.replica.update_many(
            data={"beat": {"increment": 1}, "dead_at": None}, where={"id": self.replica_id}
        )
        if not beaten:  # declared dead, and all our work was taken over
            await self.join()

    async def watch(self) -> None:
        """Look at everybody once; take over from the dead."""
        rows = await self.db.replica.find_many()
        now = asyncio.get_running_loop().time()
        if now - self._looked_at > LOOK_GAP:
            self._seen = {}  # nobody could beat while the database was away, or we did not look
        self._looked_at = now
        self._seen = {row.id: self._look(row, now) for row in rows}
        for row in rows:
            if row.id == self.replica_id:
                continue
            if row.dead_at is None:
                if not self._is_gone(row) and now - self._seen[row.id].at < DEAD_AFTER:
                    continue
                log.warning("replica_dead", extra={"replica_id": row.id})
                await self.db.replica.update_many(
                    data={"dead_at": self.clock()}, where={"id": row.id, "beat": row.beat, "dead_at": None}
                )
            if await self.take_over(row.id):
                await self.db.replica.delete_many(where={"id": row.id, "dead_at": {"not": None}})

    def _look(self, row: Replica, now: float) -> _Seen:
        before = self._seen.get(row.id)
        return before if before is not None and before.beat == row.beat else _Seen(row.beat, now)

    def _is_gone(self, row: Replica) -> bool:
        """Known to be dead without waiting: it was a process of this host, and there is none such now."""
        if row.host != host() or row.id in _ours:
            return False
        if row.pid == os.getpid():
            return True  # we have its number
        try:
            os.kill(row.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False  # there is one, of another user
        return False


@cache
def host() -> str:
    """Where process numbers mean the same processes: a host, and in it a container."""
    try:
        container = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux: no containers that share a host's name
        container = ""
    return f"{socket.gethostname()} {container}".strip()
