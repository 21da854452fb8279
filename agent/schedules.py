"""Requests that are made at set times: kept by the engine, begun once a time, on a thread of their own.

A firing has one thread and one idempotency key, both made of the schedule's name and the time. So whoever fires it
again, after a crash or on a second replica, finds the run that there is.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, Field

from agent.digest import digest
from agent.durable.base import Engine, InvalidTimetable, NotDurable, Timetable, TimetableExists, Timetables, WorkLost
from agent.errors import (
    AgentError,
    DocumentNotFound,
    Forbidden,
    InvalidSchedule,
    NotReady,
    ScheduleExists,
    ScheduleNotFound,
    SchedulesOff,
    TooBusy,
)
from agent.event_store import again
from agent.principal import Principal, Role
from prisma.errors import PrismaError

if TYPE_CHECKING:
    from prisma import Prisma

log = logging.getLogger(__name__)

HANDLER = "schedule"
MAY_SCHEDULE: frozenset[Role] = frozenset({"clerk", "admin"})
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LONGEST_INPUT = 20_000  # characters
RETRY_INTERVAL = 2.0  # seconds, while this process cannot take a request
NOBODY = "local"  # who scheduled it where nobody signs in


class Task(BaseModel):
    """What a schedule asks for, and in whose name."""

    name: str
    principal: Principal
    input: str
    documents: list[str] = []


class Firing(BaseModel):
    """What became of a time of a schedule: a run, or why there is none."""

    at: datetime
    run_id: str | None = None
    error: Annotated[str | None, Field(description="Why no run was started.")] = None


class Schedule(BaseModel):
    """A request that is made at set times."""

    name: str
    cron: Annotated[str, Field(description="Five fields, or six that begin with seconds.")]
    timezone: str
    input: str
    documents: list[str]
    user_id: Annotated[str | None, Field(description="Who runs are made for, with the roles of when it was added.")]
    roles: list[Role]
    last: Annotated[Firing | None, Field(description="The last time it was due.")] = None


@dataclass(frozen=True, slots=True)
class Schedules:
    """The schedules of all companies. `timetables` gives those of the engine, or raises NotDurable."""

    db: Prisma
    timetables: Callable[[], Timetables]
    clock: Callable[[], datetime]

    async def add(
        self,
        name: str,
        *,
        cron: str,
        timezone: str = "UTC",
        input: str,
        documents: Sequence[str] = (),
        principal: Principal,
    ) -> Schedule:
        """Make a request at the times of `cron` from now on, as `principal` with the roles of this moment.

        Raises:
            AgentError: Forbidden, InvalidSchedule, DocumentNotFound, ScheduleExists, SchedulesOff.
        """
        timetables = self._open(principal)
        if not NAME.fullmatch(name):
            raise InvalidSchedule(f"{name!r} is no name: use lower-case letters, digits, '-' and '_', at most 63.")
        if not input.strip() or len(input) > LONGEST_INPUT:
            raise InvalidSchedule(f"A request has 1 to {LONGEST_INPUT} characters.")
        for document_id in documents:
            if not await self.db.document.count(where={"id": document_id, "tenant_id": principal.tenant_id}):
                raise DocumentNotFound(document_id)
        task = Task(name=name, principal=principal, input=input, documents=list(documents))
        timetable = Timetable(_full(principal, name), cron, timezone, HANDLER, task.model_dump_json())
        try:
            await timetables.add(timetable)
        except InvalidTimetable as error:
            raise InvalidSchedule(str(error)) from None
        except TimetableExists:
            raise ScheduleExists(f"There is a schedule {name!r} already; remove it first.") from None
        await self._audit(principal, "schedule.add", name, {"cron": cron, "timezone": timezone})
        return _schedule(timetable)

    async def list(self, *, principal: Principal) -> list[Schedule]:
        """The company's schedules, by name.

        Raises:
            AgentError: Forbidden, SchedulesOff.
        """
        found = await self._open(principal).find(_full(principal, ""))
        last = await self._last(principal, [_schedule(timetable).name for timetable in found])
        return [_schedule(timetable, last=last.get(_schedule(timetable).name)) for timetable in found]

    async def get(self, name: str, *, principal: Principal) -> Schedule:
        """One of the company's schedules.

        Raises:
            AgentError: Forbidden, ScheduleNotFound, SchedulesOff.
        """
        for schedule in await self.list(principal=principal):
            if schedule.name == name:
                return schedule
        raise ScheduleNotFound(name)

    async def remove(self, name: str, *, principal: Principal) -> None:
        """Begin nothing more of it; runs that were begun go on.

        Raises:
            AgentError: Forbidden, ScheduleNotFound, SchedulesOff.
        """
        if not await self._open(principal).remove(_full(principal, name)):
            raise ScheduleNotFound(name)
        await self._audit(principal, "schedule.remove", name, {})

    def _open(self, principal: Principal) -> Timetables:
        if not principal.roles & MAY_SCHEDULE:
            raise Forbidden("This role may not schedule requests.")
        try:
            return self.timetables()
        except NotDurable as error:
            raise SchedulesOff(str(error)) from None

    async def _last(self, principal: Principal, names: Sequence[str]) -> Mapping[str, Firing]:
        found: dict[str, Firing] = {}
        for name in names:
            row = await self.db.auditentry.find_first(
                where={"tenant_id": principal.tenant_id, "subject": _subject(name), "action": "schedule.fire"},
                order=[{"at": "desc"}, {"id": "desc"}],
            )
            if row is not None:
                found[name] = Firing.model_validate(row.details)
        return found

    async def _audit(self, principal: Principal, action: str, name: str, details: dict[str, Any]) -> None:
        await self.db.auditentry.create(
            data={
                "tenant_id": principal.tenant_id,
                "at": self.clock(),
                "actor": principal.user_id or NOBODY,
                "action": action,
                "subject": _subject(name),
                "details": details,
            }
        )


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
        principal, thread_id = task.principal, f"s{_id_of(task, at)}"
        if principal.user_id is not None and not await self.db.user.count(
            where={"id": principal.user_id, "tenant_id": principal.tenant_id, "disabled_at": None}
        ):
            raise Forbidden("The user who scheduled it is gone.")
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
                            "subject": _subject(task.name),
                            "verdict": "failed" if "error" in details else "started",
                            "details": {"at": at, **details},
                        },
                        "update": {},
                    },
                )


def _full(principal: Principal, name: str) -> str:
    """The engine's name for a company's schedule."""
    return f"{principal.tenant_id}:{name}"


def _subject(name: str) -> str:
    return f"schedule:{name}"


def _id_of(task: Task, at: str) -> str:
    """Names one firing."""
    return digest(tenant=task.principal.tenant_id, schedule=task.name, at=at)[:24]


def _schedule(timetable: Timetable, *, last: Firing | None = None) -> Schedule:
    task = Task.model_validate_json(timetable.argument)
    return Schedule(
        name=task.name,
        cron=timetable.cron,
        timezone=timetable.timezone,
        input=task.input,
        documents=task.documents,
        user_id=task.principal.user_id,
        roles=sorted(task.principal.roles),
        last=last,
    )
