"""Reads the events of one run as they come, from memory where it works here and from the database where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.records import StoredEvent

if TYPE_CHECKING:
    from agent.event_log import EventLog, RunLog

PORTION = 256  # events handed out at once


class Reading:
    """One reader. A live event costs it one wake-up and no other task, for there may be thousands of readers.

    Attributes:
        over: There is nothing after what was handed out.
    """

    def __init__(self, log: EventLog, run_id: str, *, after: int) -> None:
        self._log = log
        self._run_id = run_id
        self._after = after
        self._live: RunLog | None = None
        self._looking: asyncio.Task[Sequence[StoredEvent]] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False
        self.over = False

    async def next(self) -> Sequence[StoredEvent]:
        """The next events, in order; none when it is over or was woken.

        Raises:
            RunNotFound: There is no such run.
        """
        while not self.over and not self._woken:
            live = self._live = self._live or self._log.live(self._run_id)
            if self._looking is not None or live is None or self._after + 1 < live.first:
                events = await self._look()
            elif not (events := live.since(self._after, limit=PORTION)):
                if not live.closed:
                    self._waiter = live.grown()
                    await self._waiter
                elif live.lost:
                    self._live = None  # it goes on elsewhere
                else:
                    self.over = True
                continue
            if events:
                self._after = events[-1].sequence
                if live is not None and live.closed and not live.lost:
                    self.over = self._after >= live.last
                return events
        self._woken = False
        return ()

    def wake(self) -> None:
        """Let `next` return now, or the next time."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def aclose(self) -> None:
        """Ask the database for nothing more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> Sequence[StoredEvent]:
        """What the database has, asked in a task of its own: whoever is woken meanwhile comes back to it."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_up() if self._live is None else self._recall(self._live))
        self._waiter = asyncio.get_running_loop().create_future()
        await asyncio.wait((self._looking, self._waiter), return_when=asyncio.FIRST_COMPLETED)
        if not self._looking.done():
            return ()
        looked, self._looking = self._looking, None
        return looked.result()

    async def _look_up(self) -> Sequence[StoredEvent]:
        events, self.over = await self._log.look_up(self._run_id, after=self._after)
        return events

    async def _recall(self, live: RunLog) -> Sequence[StoredEvent]:
        """What is too old for memory. What is not there any more is stored."""
        events = await self._log.forgotten(live, after=self._after)
        if not events and self._after < live.begun_after:
            self._after = live.begun_after  # these numbers were left out
        elif not events:
            self.over = True  # the run was deleted under us
        return events
