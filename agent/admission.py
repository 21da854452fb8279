"""How many runs work at once, and how many may wait for that: beyond, a request is refused and not piled up."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from agent.errors import TooBusy

FIRST_GUESS = 5.0  # seconds that a run takes, before any was seen
WEIGHT = 0.1  # of the last run in the average


@dataclass(slots=True)
class Admission:
    """The places of this process.

    Args:
        running: Runs at work.
        queued: Runs that wait for a place, or for their turn in their thread.
    """

    running: int
    queued: int
    _taken: int = 0
    _waiting: int = 0
    _line: deque[asyncio.Future[None]] = field(default_factory=deque[asyncio.Future[None]])
    _mean_seconds: float = FIRST_GUESS

    @property
    def full(self) -> bool:
        """No place is free: who comes now must wait."""
        return self._taken >= self.running or bool(self._line)

    @property
    def at_work(self) -> int:
        """Places that are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """Runs that wait, and requests that have leave to."""
        return self._waiting

    def admit(self) -> Ticket:
        """Before a request is recorded: a place for it, or leave to wait, which nobody who comes later gets.

        Raises:
            TooBusy: As many wait as may wait.
        """
        if not self.full:
            self._taken += 1
            return Ticket(self, placed=True)
        if self._waiting >= self.queued:
            seconds = self._mean_seconds * (self._waiting + 1) / self.running
            raise TooBusy("Too many requests wait already; try again later.", retry_after_seconds=max(1.0, seconds))
        self._waiting += 1
        return Ticket(self, placed=False)

    def waits(self) -> _Waiting:
        """`with` it while a run waits for anything, so that it is counted."""
        return _Waiting(self)

    def take(self) -> None:
        """Take a place, even one too many: for a run that has waited for a person already."""
        self._taken += 1

    async def enter(self) -> None:
        """Wait for a place and take it, first come, first served."""
        if not self.full:
            self._taken += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(None)  # it was given to us in the same moment
            else:
                with suppress(ValueError):
                    self._line.remove(place)
            raise

    def leave(self, seconds: float | None) -> None:
        """Give the place back after so many seconds of work, or unused."""
        if seconds is not None:
            self._mean_seconds += WEIGHT * (seconds - self._mean_seconds)
        self._taken -= 1
        while self._line and self._taken < self.running:
            place = self._line.popleft()
            if not place.done():
                self._taken += 1
                place.set_result(None)


@dataclass(slots=True)
class Ticket:
    """What a request has until its run begins, or begins to wait. `placed`: it is a place, else leave to wait."""

    admission: Admission
    placed: bool
    _open: bool = True

    def take_place(self) -> bool:
        """The place is the run's now. False when there was none."""
        if not self.placed:
            self.give_back()
        taken, self._open = self._open, False
        return taken

    def give_back(self) -> None:
        """It is not needed any more, if it still was."""
        if not self._open:
            return
        self._open = False
        if self.placed:
            self.admission.leave(None)
        else:
            self.admission._waiting -= 1  # pyright: ignore[reportPrivateUsage]


@dataclass(frozen=True, slots=True)
class _Waiting:
    admission: Admission

    def __enter__(self) -> None:
        self.admission._waiting += 1  # pyright: ignore[reportPrivateUsage]

    def __exit__(self, *_: object) -> None:
        self.admission._waiting -= 1  # pyright: ignore[reportPrivateUsage]
