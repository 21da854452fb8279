"""What carries work through crashes: pieces of work, made of steps whose results are recorded.

A piece of work is a handler's name, an id and an argument. When its process dies, the handler is called again somewhere
with the same argument; what it did in a recorded step is not done again, the recorded result is returned. So between
steps a handler may only depend on its argument, on step results, and on what does not change.

* DurableError
  x WorkLost           another process has taken this piece of work over: stop, and write nothing more
  x WorkDiverged       the recorded steps are not those of this code: the work cannot go on
  x RecordsAway        the records cannot be reached: this attempt ends, and the work goes on later
  x NotDurable         this engine begins nothing by itself
  x InvalidTimetable   its times cannot be read, or never come
  x TimetableExists    there is one of that name
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Handler = Callable[[str], Awaitable[None]]
Status = Literal["unknown", "unfinished", "finished"]


class DurableError(Exception):
    """Work cannot go on in this process."""


class WorkLost(DurableError):
    """Another process has taken this piece of work over."""


class WorkDiverged(DurableError):
    """The recorded steps are not those of this code."""


class RecordsAway(DurableError):
    """The records cannot be reached: this attempt ends, and the work goes on later."""


class NotDurable(DurableError):
    """This engine begins nothing by itself."""


class InvalidTimetable(DurableError):
    """Its times cannot be read, or never come."""


class TimetableExists(DurableError):
    """There is one of that name."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Work that begins by itself: `handler` is called with `{time} {argument}`, the time in ISO 8601, once a time.

    Attributes:
        cron: Five fields, or six that begin with seconds.
        timezone: IANA name.
    """

    name: str
    cron: str
    timezone: str
    handler: str
    argument: str


class Timetables(Protocol):
    """Every timetable that the servers keep."""

    async def add(self, timetable: Timetable) -> None:
        """Keep it from now on. What is missed while no server runs is made up for once.

        Raises:
            InvalidTimetable, TimetableExists
        """
        ...

    async def find(self, prefix: str) -> Sequence[Timetable]:
        """Those whose name begins so, by name."""
        ...

    async def remove(self, name: str) -> bool:
        """False when there is none."""
        ...


class Engine(Protocol):
    """Begins work, records steps, and calls handlers again for work whose process died. What is asked of it before it
    has started waits until it has.

    A handler that raises `asyncio.CancelledError` gives its work back unfinished.
    """

    @property
    def durable(self) -> bool:
        """Unfinished work is taken up again after a restart."""
        ...

    @property
    def timetables(self) -> Timetables:
        """Work that begins at set times.

        Raises:
            NotDurable
        """
        ...

    def load(self) -> None:
        """Import what is needed, in any thread: it may take a second."""
        ...

    async def start(self, handlers: Mapping[str, Handler], *, replica_id: str) -> None:
        """Be ready to begin work, under this process's name."""
        ...

    async def stop(self) -> None:
        """End; unfinished work stays unfinished. The caller has let its handlers come to an end."""
        ...

    async def begin(self, handler: str, work_id: str, argument: str) -> None:
        """Record a piece of work and call its handler in this process. One that was begun before is left alone."""
        ...

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Await `work` and record its result, JSON; inside a handler only. Recorded before, it is not awaited.

        Of steps that run at once, each must be called before the first of them is awaited, in an order that does not
        depend on time.

        Raises:
            WorkLost, WorkDiverged, RecordsAway
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, inside a handler; after a restart only for what is left."""
        ...

    async def status(self, work_id: str) -> Status:
        """How a piece of work stands."""
        ...

    async def recover(self, replica_ids: Sequence[str]) -> int:
        """Let the unfinished work of dead processes go on, here or in any other that lives. Returns how much it was."""
        ...

    async def resume(self, work_id: str) -> None:
        """Let unfinished work that was given back go on, here or in any other process."""
        ...

    async def forget(self, work_ids: Sequence[str]) -> None:
        """Remove what is recorded of these pieces of work, if anything is."""
        ...

    async def forget_finished(self, *, older_than_seconds: float) -> None:
        """Remove what is recorded of work that finished before."""
        ...
