"""A schedule's time has come: one run on a thread of its own, once.

A firing has one thread and one idempotency key, both made of the schedule's name and the time. So whoever fires it
again, after a crash or on a second replica, finds the run that there is.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from agent import access
from agent.digest import digest
from agent.durable.base import Engine, WorkLost
from agent.errors import AgentError, Forbidden, NotReady, TooBusy
from agent.event_store import again
from agent.principal import Principal
from agent.schedules import Task, subject_of
from prisma.errors import PrismaError

if TYPE_CHECKING:
    from prisma import Prisma

log = logging.getLogger(__name__)

RETRY_INTERVAL = 2.0  # seconds, while this process cannot take a request


class Submit(Protocol):
    """`Agent.submit`."""

    def __call__(
        self,
        *,
        thread_id: str,
        input: str,
        documents: Sequence[str] = ...,
        principal: Principal,
        idempotency_key: str | None = ...,
    ) -> Awaitable[str]: ...


@dataclass(slots=True)
class Firings:
    """Begins the runs of schedules whose time has come, in this process."""

    db: Prisma
    engine: Engine
    clock: Callable[[], datetime]
    submit: Submit
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])

    async def handle(self, argument: str) -> None:
        """The engine's handler: start the run of one time of a schedule, once."""
        at, _, text = argument.partition(" ")
        task, ours = Task.model_validate_json(text), asyncio.current_task()
        assert ours is not None
        self._tasks.add(ours)
        try:
            while (wait := await self.engine.step("submit", lambda: self._fire(task, at))) is not None:
                await self.engine.sleep(wait)
        except WorkLost:
            raise asyncio.CancelledError from None  # it is another's, unfinished
        finally:
            self._tasks.discard(ours)

    async def stop(self) -> None:
        """Give back what could not be begun: it is, after the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fire(self, task: Task, at: str) -> float | None:
        """Returns the seconds until it may be tried again; None when it is decided."""
        try:
            run_id = await self._submit(task, at)
        except TooBusy as busy:
            return busy.retry_after_seconds
        except NotReady:
            return RETRY_INTERVAL  # we are starting
        except PrismaError:
            log.exception("schedule_not_fired", extra={"schedule": task.name, "at": at})
            return RETRY_INTERVAL  # a database that is away comes back
        except AgentError as error:
            log.warning("schedule_refused", extra={"schedule": task.name, "at": at, "code": error.code})
            await self._note(task, at, {"error": f"{error.message} ({error.code})"})
            return None
        await self._note(task, at, {"run_id": run_id})
        return None

    async def _submit(self, task: Task, at: str) -> str:
        thread_id = f"s{_id_of(task, at)}"
        principal = replace(task.principal, address=None, roles=await access.roles_now(self.db, task.principal))
        if not principal.roles:
            raise Forbidden("The user who scheduled it is gone, or has no role any more.")
        await self.db.thread.upsert(
            where={"id": thread_id},
            data={
                "create": {
                    "id": thread_id,
                    "tenant_id": principal.tenant_id,
                    "user_id": principal.user_id,
                    "title": f"{task.name}, {at}",
                },
                "update": {},
            },
        )
        return await self.submit(
            thread_id=thread_id,
            input=task.input,
            documents=task.documents,
            principal=principal,
            idempotency_key=f"schedule:{task.name}:{at}",
        )

    async def _note(self, task: Task, at: str, details: dict[str, Any]) -> None:
        entry = f"f{_id_of(task, at)}"
        async for attempt in again(math.inf):  # what a step raises is its result, for ever: a database comes back
            with attempt:
                await self.db.auditentry.upsert(
                    where={"id": entry},
                    data={
                        "create": {
                            "id": entry,
                            "tenant_id": task.principal.tenant_id,
                            "at": self.clock(),
                            "actor": "schedule",
                            "action": "schedule.fire",
                            "subject": subject_of(task),
                            "verdict": "failed" if "error" in details else "started",
                            "details": {"at": at, **details},
                        },
                        "update": {},
                    },
                )


def _id_of(task: Task, at: str) -> str:
    """Names one firing."""
    user = {} if task.principal.user_id is None else {"user": task.principal.user_id}
    return digest(tenant=task.principal.tenant_id, schedule=task.name, at=at, **user)[:24]
