"""When a run may work: it needs a place of this process, and its turn in its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from agent.admission import Admission
from agent.run_store import RunStore
from agent.work import Work

TURN_INTERVAL = 0.5  # seconds between two looks whether a queued run's turn has come


@dataclass(slots=True)
class Turns:
    """Gives runs their places.

    Args:
        before_waiting: Called before a run begins to wait.
    """

    admission: Admission
    runs: RunStore
    before_waiting: Callable[[Work], Awaitable[None]]
    _rested: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, work: Work) -> None:
        """A place for this run: at once where a person has decided, else when it is its turn. Its time begins.

        Raises:
            RunStopped: It was stopped meanwhile.
        """
        if work.placed:
            return
        if work.urgent:
            self.admission.take(work.user)
        else:
            await self._wait_for_place(work)
        work.placed = True
        work.scope.begin()

    def give_back(self, work: Work) -> None:
        """The place, if the run has one."""
        if work.placed:
            work.placed = False
            self.admission.leave(work.user, work.scope.seconds)

    def one_rested(self) -> None:
        """A run has come to rest: it may be the turn of the one behind it."""
        self._rested.set()

    async def _wait_for_place(self, work: Work) -> None:
        queued = work.known.queued if work.known is not None else True
        ticket = work.known.ticket if work.known is not None else None
        if not queued:
            if ticket is None or not ticket.take_place():
                self.admission.take(work.user)
            return
        if ticket is not None:
            ticket.give_back()
        await self.before_waiting(work)
        async with work.scope.interruptible(timed=False):
            with self.admission.waits(work.user):
                while True:
                    await self._wait_for_turn(work)
                    await self.admission.enter(work.user)
                    try:
                        begun = await self.runs.begin(work.run_id, attempt=work.attempt)
                    except BaseException:
                        self.admission.leave(work.user, None)
                        raise
                    if begun:
                        return
                    self.admission.leave(work.user, None)

    async def _wait_for_turn(self, work: Work) -> None:
        while not await self.runs.is_turn(work.run_id):
            self._rested.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_INTERVAL):
                    await self._rested.wait()
