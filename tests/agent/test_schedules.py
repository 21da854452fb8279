"""Requests at set times: kept by the engine, one run a time, whoever fires it and however often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from agent.durable.base import Timetable, TimetableExists
from agent.durable.plain import PlainEngine
from agent.durable.timetables import DbosTimetables, check, following
from agent.errors import (
    DocumentNotFound,
    Forbidden,
    InvalidSchedule,
    NotReady,
    ScheduleExists,
    ScheduleNotFound,
    SchedulesOff,
    TooBusy,
)
from agent.firings import Firings
from agent.principal import Principal
from agent.run_store import StoredRequest
from agent.schedules import Schedules, Task
from prisma import Prisma
from tests.agent.conftest import OpenOffice, principal
from tests.support.people import person
from tests.support.scripted_model import says
from tools.context import utc_now

ADMIN = principal("admin")
AT = "2026-11-25T08:00:00+00:00"
GONE = "The user who scheduled it is gone, or has no role any more. (forbidden)"


def request(**changes: Any) -> dict[str, Any]:
    """What `Schedules.add` takes besides the name."""
    return {"cron": "0 8 * * 1-5", "input": "Which invoices are overdue?", "principal": ADMIN, **changes}


class FakeTimetables:
    """Keeps them in memory, and reads them as the real ones do."""

    def __init__(self) -> None:
        self.kept: dict[str, Timetable] = {}

    async def add(self, timetable: Timetable) -> None:
        check(timetable.cron, timetable.timezone)
        if timetable.name in self.kept:
            raise TimetableExists(timetable.name)
        self.kept[timetable.name] = timetable

    async def find(self, prefix: str) -> Sequence[Timetable]:
        return [self.kept[name] for name in sorted(self.kept) if name.startswith(prefix)]

    async def remove(self, name: str) -> bool:
        return self.kept.pop(name, None) is not None


@pytest.fixture
def schedules(database: Prisma) -> Schedules:
    kept = FakeTimetables()
    return Schedules(database, lambda: kept, utc_now)


@pytest_asyncio.fixture
async def system(database_url: str) -> AsyncGenerator[DbosTimetables]:
    """The real system database of a fresh desk."""
    timetables = DbosTimetables(database_url)
    await timetables.migrate()
    yield timetables
    await timetables.close()


async def test_what_is_added_is_listed_by_its_company_and_can_be_removed(database: Prisma, system: DbosTimetables):
    await database.tenant.create(data={"id": "other", "name": "Other company"})
    schedules, other = Schedules(database, lambda: system, utc_now), principal("clerk", tenant="other")
    added = await schedules.add("overdue", **request(timezone="Europe/Berlin"))
    await schedules.add("overdue", **request(principal=other))
    assert (added.name, added.cron, added.timezone, added.roles) == (
        "overdue",
        "0 8 * * 1-5",
        "Europe/Berlin",
        ["admin"],
    )
    assert await schedules.list(principal=ADMIN) == [added]
    assert await schedules.get("overdue", principal=ADMIN) == added
    with pytest.raises(ScheduleExists):
        await schedules.add("overdue", **request())
    await schedules.remove("overdue", principal=ADMIN)
    assert await schedules.list(principal=ADMIN) == []
    assert len(await schedules.list(principal=other)) == 1
    with pytest.raises(ScheduleNotFound):
        await schedules.remove("overdue", principal=ADMIN)


@pytest.mark.service
async def test_on_postgresql_they_are_kept_in_the_same_database(database: Prisma, postgres_url: str):
    system = DbosTimetables(postgres_url)
    await system.migrate()
    schedules = Schedules(database, lambda: system, utc_now)
    added = await schedules.add("overdue", **request())
    again = DbosTimetables(postgres_url)
    assert await Schedules(database, lambda: again, utc_now).list(principal=ADMIN) == [added]
    with pytest.raises(ScheduleExists):
        await schedules.add("overdue", **request())
    await schedules.remove("overdue", principal=ADMIN)
    assert await again.find("") == []
    await system.close()
    await again.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "every day"},
        {"cron": "61 * * * *"},
        {"cron": "0 0 31 2 *"},
        {"cron": "* * * * * * *"},
        {"cron": "R * * * *"},
        {"cron": ""},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"input": "  "},
        {"name": "No Name"},
        {"name": "a/b"},
    ],
)
async def test_what_cannot_be_read_or_never_comes_is_refused(schedules: Schedules, wrong: dict[str, str]):
    with pytest.raises(InvalidSchedule):
        await schedules.add(**request(**{"name": "x", **wrong}))
    assert await schedules.list(principal=ADMIN) == []


async def test_only_clerks_and_admins_schedule(schedules: Schedules):
    for role in ("viewer", "approver"):
        with pytest.raises(Forbidden):
            await schedules.add("x", **request(principal=principal(role)))
        with pytest.raises(Forbidden):
            await schedules.list(principal=principal(role))


async def test_documents_must_be_there(schedules: Schedules):
    with pytest.raises(DocumentNotFound):
        await schedules.add("x", **request(documents=["doc_none"]))


async def test_without_durable_runs_nothing_is_scheduled(open_office: OpenOffice):
    office = await open_office([])
    with pytest.raises(SchedulesOff, match="DESKCLERK_DURABLE=on"):
        await office.agent.schedules.add("x", **request())


def test_times_are_those_of_the_time_zone_through_the_change_of_clocks():
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the clocks change on the 25th
    times = [before]
    for _ in range(3):
        times.append(following("0 8 * * *", "Europe/Berlin", times[-1]))
    assert [time.astimezone(UTC).hour for time in times[1:]] == [7, 7, 7]
    assert following("0 8 * * *", "Europe/Berlin", datetime(2026, 10, 23, 12, tzinfo=UTC)).astimezone(UTC).hour == 6


# ---------------------------------------------------------------- a time has come


def due(who: Principal = ADMIN, **task: Any) -> str:
    return f"{AT} {Task(name='overdue', principal=who, input='Which are overdue?', **task).model_dump_json()}"


async def test_a_time_that_is_fired_ten_times_at_once_has_one_run(open_office: OpenOffice):
    office = await open_office([says("None.")])
    firings = Firings(office.db, PlainEngine(), utc_now, office.agent.submit)
    await asyncio.gather(*(firings.handle(due()) for _ in range(10)))
    [run] = await office.db.run.find_many()
    assert (run.idempotency_key, run.input) == (f"schedule:overdue:{AT}", "Which are overdue?")
    assert (await office.agent.wait(run.id)).answer == "None."
    [entry] = await office.db.auditentry.find_many(where={"action": "schedule.fire"})
    assert (entry.verdict, entry.details) == ("started", {"at": AT, "run_id": run.id})
    assert await office.db.thread.count() == 2  # the office's own, and the firing's


async def test_while_a_process_is_busy_or_starting_a_firing_waits(database: Prisma):
    refusals: list[Exception] = [NotReady("starting"), TooBusy("full", retry_after_seconds=7.0)]
    slept: list[float] = []

    class Engine(PlainEngine):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    async def submit(**_: Any) -> str:
        if refusals:
            raise refusals.pop(0)
        return "run_1"

    await Firings(database, Engine(), utc_now, submit).handle(due())
    assert slept == [2.0, 7.0]
    assert await database.auditentry.count(where={"verdict": "started"}) == 1


async def test_why_no_run_was_started_is_shown(open_office: OpenOffice, schedules: Schedules):
    office = await open_office([])
    user = await office.db.user.create(data={"tenant_id": "default", "name": "gone", "disabled_at": utc_now()})
    gone = Principal("default", user.id, frozenset({"clerk"}))
    await schedules.add("overdue", **request(principal=gone))
    await Firings(office.db, PlainEngine(), utc_now, office.agent.submit).handle(due(gone))
    [schedule] = await schedules.list(principal=ADMIN)
    assert schedule.last is not None
    assert (schedule.last.run_id, schedule.last.error) == (None, GONE)
    assert await office.db.run.count() == 0


# ---------------------------------------------------------------- whose they are


async def test_schedules_are_their_users_own_and_an_admin_sees_all(database: Prisma, schedules: Schedules):
    ann, bob = await person(database, "ann", "clerk"), await person(database, "bob", "clerk")
    admin, stranger = await person(database, "adam", "admin"), await person(database, "sam", "admin", tenant="globex")
    for who in (ann, bob, stranger):  # names are each user's own, so nobody learns of another's
        await schedules.add("overdue", **request(principal=who))
    await schedules.add("mine", **request(principal=ann))
    assert [one.name for one in await schedules.list(principal=ann)] == ["mine", "overdue"]
    assert [one.user_id for one in await schedules.list(principal=bob)] == [bob.user_id]
    assert len(await schedules.list(principal=admin)) == 3
    for who in (bob, stranger):
        with pytest.raises(ScheduleNotFound):
            await schedules.get("mine", principal=who)
        with pytest.raises(ScheduleNotFound):
            await schedules.remove("mine", principal=who)
    await schedules.remove("overdue", principal=bob)
    assert len(await schedules.list(principal=ann)) == 2
    await schedules.remove("mine", principal=admin)


async def test_a_schedule_fires_with_the_roles_its_user_has_then(open_office: OpenOffice):
    office = await open_office([says("None.")] * 2)
    ann = await person(office.db, "ann", "clerk")
    await office.db.userrole.delete_many(where={"user_id": str(ann.user_id)})
    await office.db.userrole.create(data={"user_id": str(ann.user_id), "role": "viewer"})
    firings = Firings(office.db, PlainEngine(), utc_now, office.agent.submit)
    await firings.handle(due(ann))
    await firings.handle(due(await person(office.db, "bob", "clerk")))  # the same name at the same time is another
    first, second = await office.db.run.find_many(order={"created_at": "asc"})
    begun_as = [StoredRequest.model_validate(run.request).principal.roles for run in (first, second)]
    assert begun_as == [{"viewer"}, {"clerk"}]
    assert first.thread_id != second.thread_id
    await asyncio.gather(*(office.agent.wait(run.id) for run in (first, second)))


async def test_a_user_without_a_role_begins_nothing_more(open_office: OpenOffice):
    office = await open_office([])
    ann = await person(office.db, "ann")
    await Firings(office.db, PlainEngine(), utc_now, office.agent.submit).handle(due(ann))
    [entry] = await office.db.auditentry.find_many(where={"action": "schedule.fire"})
    assert entry.details == {"at": AT, "error": GONE}
    assert await office.db.run.count() == 0
