"""Schedules in DBOS's system database: written by any process, kept by every server that runs.

Each server's DBOS begins work at the times of each schedule, under an id made of its name and the time, so of many
servers one begins it. What was missed while none ran is begun when one starts; of several missed times only the last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from agent.durable.base import InvalidTimetable, Timetable, TimetableExists
from prisma.migrate.urls import PostgresTarget, SqliteTarget, parse_url

if TYPE_CHECKING:
    from dbos import DBOSClient
    from sqlalchemy import Engine as SqlEngine

APPLICATION = "deskclerk"
WORKFLOW = "deskclerk.scheduled"
CONNECTIONS = 2
FIELDS = (5, 6)  # of a cron expression; six begin with seconds


class DbosTimetables:
    """Reads and writes schedules. `sql` is an open system database; else one is opened at first use."""

    def __init__(self, database_url: str, sql: SqlEngine | None = None) -> None:
        self._target = parse_url(database_url)
        self._sql = sql
        self._client: DBOSClient | None = None

    def _open(self) -> DBOSClient:
        if self._client is None:
            from dbos import DBOSClient, DBOSPortableJSONSerializer

            self._client = DBOSClient(
                system_database_url=system_url(self._target),
                system_database_engine=self._sql,
                system_database_pool_size=CONNECTIONS,
                serializer=DBOSPortableJSONSerializer(),
                application_name=APPLICATION,
            )
        return self._client

    async def migrate(self) -> None:
        """Make the system database, where no server has done it yet."""
        from dbos import DBOS

        await asyncio.to_thread(DBOS.migrate, system_url(self._target))

    async def close(self) -> None:
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
            self._client = None

    async def add(self, timetable: Timetable) -> None:
        from dbos import error

        check(timetable.cron, timetable.timezone)
        client = await asyncio.to_thread(self._open)
        try:
            await client.create_schedule_async(
                schedule_name=timetable.name,
                workflow_name=WORKFLOW,
                schedule=timetable.cron,
                context={
                    "handler": timetable.handler,
                    "argument": timetable.argument,
                    "cron": timetable.cron,
                    "timezone": timetable.timezone,
                },
                cron_timezone=timetable.timezone,
                automatic_backfill=True,
            )
        except error.DBOSException:
            if await client.get_schedule_async(timetable.name) is None:
                raise
            raise TimetableExists(timetable.name) from None

    async def find(self, prefix: str) -> Sequence[Timetable]:
        client = await asyncio.to_thread(self._open)
        rows = await client.list_schedules_async(workflow_name=WORKFLOW)
        found = [_timetable(row) for row in rows if row["schedule_name"].startswith(prefix)]
        return sorted(found, key=lambda timetable: timetable.name)

    async def remove(self, name: str) -> bool:
        client = await asyncio.to_thread(self._open)
        if await client.get_schedule_async(name) is None:
            return False
        await client.delete_schedule_async(name)
        return True


def _timetable(row: Any) -> Timetable:
    context = row["context"]
    zone = row["cron_timezone"] or "UTC"
    return Timetable(row["schedule_name"], row["schedule"], zone, context["handler"], context["argument"])


def system_url(target: SqliteTarget | PostgresTarget) -> str:
    """Of the system database: our PostgreSQL, or a SQLite file beside ours, `deskclerk.db.dbos.db`."""
    if isinstance(target, SqliteTarget):
        return f"sqlite:///{target.path.with_name(f'{target.path.name}.dbos.db')}"
    return target.dsn


def check(cron: str, timezone: str) -> None:
    """Raises InvalidTimetable: it cannot be read, or never comes."""
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise InvalidTimetable(f"No time zone {timezone!r}; use an IANA name like Europe/Berlin.") from None
    fields = cron.split()
    if not (cron.startswith("@") or len(fields) in FIELDS) or any(field[0] in "RrHh" for field in fields):
        raise InvalidTimetable(f"{cron!r} is no cron expression; use five fields like '0 8 * * 1-5'.")
    try:
        following(cron, timezone, datetime.now(UTC))
    except (ValueError, KeyError) as error:
        raise InvalidTimetable(f"{cron!r} is no cron expression: {error}") from None


def following(cron: str, timezone: str, at: datetime) -> datetime:
    """The first time of a schedule after `at`.

    Raises:
        ValueError, KeyError: It cannot be read, or never comes.
    """
    from croniter import croniter  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    times: Any = croniter(cron, at.astimezone(ZoneInfo(timezone)), second_at_beginning=True)
    return times.get_next(datetime)
