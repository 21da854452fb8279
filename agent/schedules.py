"""Requests that are made at set times: kept by the engine. What happens when a time has come: agent/firings.py."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

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
                where={"tenant_id": principal.tenant_id, "subject": subject_of(name), "action": "schedule.fire"},
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
                "subject": subject_of(name),
                "details": details,
            }
        )


def _full(principal: Principal, name: str) -> str:
    """The engine's name for a company's schedule."""
    return f"{principal.tenant_id}:{name}"


def subject_of(name: str) -> str:
    """The audit's name for a schedule."""
    return f"schedule:{name}"


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
