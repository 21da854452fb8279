"""What may stop a run from outside: its deadline, a cancellation, the end of the process.

Stopping is cooperative: only what is wrapped in `interruptible()` is broken off (model calls, reads). Effects are never
wrapped, so they end and are recorded, and the graph itself runs to its end with its state whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent.ending import Ending, RunStopped, failed


class Scope:
    """One stretch of a run's work, from its start or a decision until it rests."""

    def __init__(self, *, max_seconds: float, spent_seconds: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._spent = spent_seconds
        self._deadline = self._started + max_seconds - spent_seconds
        self._late = failed("time_limit", f"The run did not end within {max_seconds:g} seconds of work.")
        self._ending: Ending | None = None
        self._open: set[asyncio.Timeout] = set()

    @property
    def seconds(self) -> float:
        """Working time so far, over all stretches."""
        return self._spent + self._loop.time() - self._started

    def spent(self, seconds: float) -> None:
        """At least so much time went into the run before a crash."""
        missing = max(0.0, seconds - self.seconds)
        self._spent += missing
        self._deadline -= missing

    @property
    def ending(self) -> Ending | None:
        """Why the run was stopped from outside; None when it was not."""
        return self._ending

    def stop(self, ending: Ending) -> None:
        """Break off what can be broken off; nothing new starts. The first reason given counts."""
        self._ending = self._ending or ending
        for timeout in self._open:
            if not timeout.expired():
                timeout.reschedule(self._loop.time())

    def check(self) -> None:
        """Called before anything starts.

        Raises:
            RunStopped: The run was stopped, or its time is over.
        """
        if self._ending is not None:
            raise RunStopped(self._ending)
        if self._loop.time() >= self._deadline:
            raise RunStopped(self._late)

    def begin(self) -> None:
        """Work begins: what was waited for before is not counted."""
        self._deadline += self._loop.time() - self._started
        self._started = self._loop.time()

    @asynccontextmanager
    async def interruptible(self, *, timed: bool = True) -> AsyncGenerator[None]:
        """Run the block until it ends or the run is stopped, or, unless it is not `timed`, its time is over.

        Raises:
            RunStopped: The run was stopped, or its time is over.
        """
        self.check()
        timeout = asyncio.timeout_at(self._deadline if timed else None)
        self._open.add(timeout)
        try:
            async with timeout:
                yield
        except TimeoutError:
            if timeout.expired():
                raise RunStopped(self._ending or self._late) from None
            raise
        finally:
            self._open.discard(timeout)
