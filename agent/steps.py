"""Steps of a run whose results are recorded, so that after a crash they are not done again.

A step is a model's answer or a tool's call. What it told its watchers is stored before its result is recorded: so what
is recorded has been told whole, and what is not recorded is told again (see `RunLog.tell_no_more`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from agent.deps import Deps
from agent.emitter import Emitter
from agent.ending import INTERRUPTED, RunStopped

Record = dict[str, Any]
"""JSON."""


class HandedOver(Exception):
    """This process stops: the run stays as it is, and goes on where it is taken over."""


async def recorded(deps: Deps, emitter: Emitter, name: str, work: Callable[[], Awaitable[Record]]) -> Record:
    """Await `work`, or return what it gave before a crash.

    Raises:
        HandedOver: The process stops; nothing was recorded.
        WorkLost, WorkDiverged: See `agent/durable/base.py`.
    """
    engine, scope = deps.services.engine, deps.scope
    if not engine.durable:
        return await work()

    async def step() -> Record:
        try:
            record = await work()
        except RunStopped as stop:
            if stop.ending is not INTERRUPTED:
                raise
            raise asyncio.CancelledError from None  # an exception would be recorded as the step's result
        await emitter.stored()
        return {"seconds": scope.seconds, **record}

    try:
        record = await engine.step(name, step)
    except asyncio.CancelledError:
        if scope.ending is INTERRUPTED:
            raise HandedOver from None
        raise
    scope.spent(record["seconds"])
    return record
