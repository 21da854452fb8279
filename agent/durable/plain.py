"""The engine without a record: work dies with its process. For tests, and to measure what durability costs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from agent.durable.base import Handler, NotDurable, Status, Timetables

log = logging.getLogger(__name__)


class PlainEngine:
    """Calls handlers in tasks of this process."""

    durable = False

    def __init__(self) -> None:
        self._handlers: Mapping[str, Handler] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def timetables(self) -> Timetables:
        raise NotDurable("Schedules need DESKCLERK_DURABLE=on.")

    def load(self) -> None:
        pass

    async def start(self, handlers: Mapping[str, Handler], *, replica_id: str) -> None:  # noqa: ARG002  no names here
        self._handlers = handlers

    async def stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def begin(self, handler: str, work_id: str, argument: str) -> None:
        if work_id not in self._tasks:
            task = asyncio.create_task(self._run(handler, argument), name=work_id)
            self._tasks[work_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(work_id, None))

    async def _run(self, handler: str, argument: str) -> None:
        try:
            await self._handlers[handler](argument)
        except Exception:
            log.exception("work_failed", extra={"handler": handler})

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ARG002  nothing is recorded
        return await work()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def status(self, work_id: str) -> Status:
        return "unfinished" if work_id in self._tasks else "unknown"

    async def recover(self, replica_ids: Sequence[str]) -> int:  # noqa: ARG002  nothing outlives its process
        return 0

    async def resume(self, work_id: str) -> None:
        pass  # what was given back is gone

    async def forget(self, work_ids: Sequence[str]) -> None:
        pass

    async def forget_finished(self, *, older_than_seconds: float) -> None:
        pass
