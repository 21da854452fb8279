"""Requests that are made at set times: kept by the engine. What happens when a time has come: agent/firings.py."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from agent import access
from agent.durable.base import InvalidTimetable, NotDurable, Timetable, TimetableExists, Timetables
from agent.errors import (
    DocumentNotFound,
    Forbidden,
    InvalidSchedule,
    ScheduleExists,
    ScheduleNotFound,
    SchedulesOff,
)
from agent.principal import NOBODY, Principal, Role

if TYPE_CHECKING:
    from prisma import Prisma

log = logging.getLogger(__name__)

HANDLER = "schedule"
MAY_SCHEDULE: frozenset[Role] = frozenset({"clerk", "admin"})
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LONGEST_INPUT = 20_000  # characters


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
    user_id: Annotated[str | None, Field(description="Who runs are made for, with the roles that they have then.")]
    roles: Annotated[list[Role], Field(description="Theirs when it was added.")]
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
        """Make a request at the times of `cron` from now on, as `principal` with the roles that they have then.

        Raises:
            AgentError: Forbidden, InvalidSchedule, DocumentNotFound, ScheduleExists, SchedulesOff.
        """
        timetables = self._open(principal)
        if not NAME.fullmatch(name):
            raise InvalidSchedule(f"{name!r} is no name: use lower-case letters, digits, '-' and '_', at most 63.")
        if not input.strip() or len(input) > LONGEST_INPUT:
            raise InvalidSchedule(f"A request has 1 to {LONGEST_INPUT} characters.")
        for document_id in documents:
            if not await self.db.document.count(where={**access.documents(principal), "id": document_id}):
                raise DocumentNotFound(document_id)
        task = Task(name=name, principal=principal, input=input, documents=list(documents))
        full = f"{principal.tenant_id}:{_own_name(task)}"
        timetable = Timetable(full, cron, timezone, HANDLER, task.model_dump_json())
        try:
            await timetables.add(timetable)
        except InvalidTimetable as error:
            raise InvalidSchedule(str(error)) from None
        except TimetableExists:
            raise ScheduleExists(f"There is a schedule {name!r} already; remove it first.") from None
        await self._audit(principal, "schedule.add", task, {"cron": cron, "timezone": timezone})
        return _schedule(timetable)

    async def list(self, *, principal: Principal) -> list[Schedule]:
        """The caller's schedules, by name; the company's for an admin.

        Raises:
            AgentError: Forbidden, SchedulesOff.
        """
        return [
            _schedule(timetable, last=await self._last(_task(timetable))) for timetable in await self._seen(principal)
        ]

    async def get(self, name: str, *, principal: Principal) -> Schedule:
        """One of those that `list` gives.

        Raises:
            AgentError: Forbidden, ScheduleNotFound, SchedulesOff.
        """
        timetable = await self._find(name, principal)
        return _schedule(timetable, last=await self._last(_task(timetable)))

    async def remove(self, name: str, *, principal: Principal) -> None:
        """Begin nothing more of it; runs that were begun go on.

        Raises:
            AgentError: Forbidden, ScheduleNotFound, SchedulesOff.
        """
        timetable = await self._find(name, principal)
        if not await self._open(principal).remove(timetable.name):
            raise ScheduleNotFound(name)
        await self._audit(principal, "schedule.remove", _task(timetable), {})

    def _open(self, principal: Principal) -> Timetables:
        if not principal.roles & MAY_SCHEDULE:
            raise Forbidden("This role may not schedule requests.")
        try:
            return self.timetables()
        except NotDurable as error:
            raise SchedulesOff(str(error)) from None

    async def _seen(self, principal: Principal) -> Sequence[Timetable]:
        """Those that the caller may see, by name, the caller's own before others of the same name."""
        found = [
            timetable
            for timetable in await self._open(principal).find(f"{principal.tenant_id}:")
            if access.is_admin(principal) or access.owns(principal, _task(timetable).principal.user_id)
        ]
        return sorted(
            found, key=lambda one: (_task(one).name, not access.owns(principal, _task(one).principal.user_id))
        )

    async def _find(self, name: str, principal: Principal) -> Timetable:
        for timetable in await self._seen(principal):
            if _task(timetable).name == name:
                return timetable
        raise ScheduleNotFound(name)

    async def _last(self, task: Task) -> Firing | None:
        row = await self.db.auditentry.find_first(
            where={"tenant_id": task.principal.tenant_id, "subject": subject_of(task), "action": "schedule.fire"},
            order=[{"at": "desc"}, {"id": "desc"}],
        )
        return None if row is None else Firing.model_validate(row.details)

    async def _audit(self, principal: Principal, action: str, task: Task, details: dict[str, Any]) -> None:
        await self.db.auditentry.create(
            data={
                "tenant_id": principal.tenant_id,
                "at": self.clock(),
                "actor": principal.user_id or NOBODY,
                "action": action,
                "subject": subject_of(task),
                "details": details,
            }
        )


def _own_name(task: Task) -> str:
    """A schedule's name among the company's: each user has names of their own."""
    user_id = task.principal.user_id
    return task.name if user_id is None else f"{user_id}:{task.name}"


def subject_of(task: Task) -> str:
    """The audit's name for a schedule."""
    return f"schedule:{_own_name(task)}"


def _task(timetable: Timetable) -> Task:
    return Task.model_validate_json(timetable.argument)


def _schedule(timetable: Timetable, *, last: Firing | None = None) -> Schedule:
    task = _task(timetable)
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
