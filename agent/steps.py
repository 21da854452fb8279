"""Steps of a run whose results are recorded, so that after a crash they are not done again.

A step is a model's answer or a tool's call. What it told its watchers is stored before its result is recorded: so what
is recorded has been told whole, and what is not recorded is told again (see `RunLog.tell_no_more`).

The engine hears of a new run only when there is something to record: most answers need no tool, and then the run's own
row says all that another process must know. So a run's first step is awaited outside the engine (`Head`); if more
follows, the work begins with what the step gave as its first record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agent.deps import Deps, Record
from agent.durable.base import RecordsAway
from agent.emitter import Emitter
from agent.ending import INTERRUPTED, RunStopped
from prisma.errors import DatabaseConnectionError


class HandedOver(Exception):
    """This process stops: the run stays as it is, and goes on where it is taken over."""


class MoreFollows(Exception):
    """The first step of a run that the engine has not heard of: it must hear of it before the next step."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record


async def recorded(
    deps: Deps,
    emitter: Emitter,
    name: str,
    work: Callable[[], Awaitable[Record]],
    *,
    is_last: Callable[[Record], bool] = lambda _: False,
) -> Record:
    """Await `work`, or return what it gave before a crash.

    Args:
        is_last: Whether no step follows one that gave this.

    Raises:
        HandedOver: The process stops; nothing was recorded.
        MoreFollows: The work must begin with this record.
        WorkLost, WorkDiverged, RecordsAway: See `agent/durable/base.py`.
    """
    engine, scope, head = deps.services.engine, deps.scope, deps.head
    if not engine.durable:
        return await work()
    if not head.begun:
        record = await work()
        if is_last(record):
            return record
        await emitter.stored()
        raise MoreFollows({"seconds": scope.seconds, **record})
    ready, head.record = head.record, None
    away: RecordsAway | DatabaseConnectionError | None = None

    async def step() -> Record:
        nonlocal away
        if ready is not None:
            return ready
        try:
            record = await work()
            await emitter.stored()
        except RunStopped as stop:
            if stop.ending is not INTERRUPTED:
                raise
            raise asyncio.CancelledError from None  # an exception would be recorded as the step's result
        except (RecordsAway, DatabaseConnectionError) as error:
            away = error
            raise asyncio.CancelledError from None
        return {"seconds": scope.seconds, **record}

    try:
        record = await engine.step(name, step)
    except asyncio.CancelledError:
        if away is not None:
            raise away from None
        if scope.ending is INTERRUPTED:
            raise HandedOver from None
        raise
    scope.spent(record["seconds"])
    return record
