"""The ledger alone: reserved, executed, recorded; the same call never twice, whoever executes it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import pytest_asyncio

from agent.digest import approval_digest
from agent.durable.base import WorkLost
from agent.ledger import Ledger
from agent.state import PlannedCall
from tests.support.desk_tools import Changed, Desk, desk_tools
from tools.context import utc_now
from tools.errors import Conflict, OutcomeUnknown, ToolError
from tools.system import Attempt

if TYPE_CHECKING:
    from prisma import Prisma

TOOL = desk_tools(Desk())["change"]


def planned(call_id: str = "call_1", **arguments: str) -> PlannedCall:
    arguments = {"customer": "cus_acme", **arguments}
    digest = approval_digest("change", arguments, {})
    return PlannedCall(id=call_id, tool="change", arguments=arguments, origins={}, digest=digest)


async def take_effect(tx: Prisma, attempt: Attempt) -> Changed:
    await tx.tag.create(data={"name": uuid4().hex})
    await asyncio.sleep(0.01)
    return Changed(ok=True)


@pytest_asyncio.fixture
async def ledger(database: Prisma) -> Ledger:
    thread = await database.thread.create(data={"tenant_id": "default"})
    run = await database.run.create(
        data={"tenant_id": "default", "thread_id": thread.id, "status": "running", "input": "", "model": "test"}
    )
    return Ledger(database, run.id, utc_now, attempt=run.attempt)


async def test_the_same_call_at_the_same_time_takes_effect_once(ledger: Ledger):
    results = await asyncio.gather(*(ledger.execute(TOOL, planned(), take_effect) for _ in range(12)))
    assert results == [Changed(ok=True)] * 12
    assert await ledger.db.tag.count() == 1
    assert await ledger.db.effect.count() == 1


async def test_another_call_with_the_same_arguments_is_another_effect(ledger: Ledger):
    for call_id in ("call_1", "call_2"):
        await ledger.execute(TOOL, planned(call_id), take_effect)
    assert await ledger.db.tag.count() == 2


async def test_the_same_call_with_other_arguments_is_refused(ledger: Ledger):
    await ledger.execute(TOOL, planned(), take_effect)
    with pytest.raises(Conflict, match="other arguments"):
        await ledger.execute(TOOL, planned(note="more"), take_effect)
    assert await ledger.db.tag.count() == 1


async def test_a_failed_call_is_not_tried_again(ledger: Ledger):
    async def refuse(tx: Prisma, attempt: Attempt) -> Changed:
        await take_effect(tx, attempt)
        raise Conflict("No.")

    for _ in range(2):
        with pytest.raises(ToolError):
            await ledger.execute(TOOL, planned(), refuse)
    with pytest.raises(ToolError, match="failed before"):
        await ledger.execute(TOOL, planned(), take_effect)
    assert await ledger.db.tag.count() == 0


async def test_a_call_that_only_got_reserved_before_a_crash_may_still_run(ledger: Ledger):
    call = planned()
    await ledger._reserve(TOOL, call, None)  # pyright: ignore[reportPrivateUsage]
    await ledger.execute(TOOL, call, take_effect)
    assert await ledger.db.tag.count() == 1


async def test_what_nobody_knows_is_not_tried_again(ledger: Ledger):
    await ledger._reserve(TOOL, planned(), None)  # pyright: ignore[reportPrivateUsage]
    await ledger.db.effect.update_many(data={"status": "needs_reconcile"})
    with pytest.raises(OutcomeUnknown, match="a person must look"):
        await ledger.execute(TOOL, planned(), take_effect)
    assert await ledger.db.tag.count() == 0


async def test_who_has_lost_the_run_executes_nothing(ledger: Ledger):
    await ledger.db.run.update_many(data={"attempt": {"increment": 1}}, where={"id": ledger.run_id})
    with pytest.raises(WorkLost):
        await ledger.execute(TOOL, planned(), take_effect)
    assert (await ledger.db.tag.count(), await ledger.db.effect.count()) == (0, 0)


# ------------------------------------------------------------ effects outside our database


@dataclass
class Provider:
    """A system that answers a key with what it did at first. `lost`: answers that never arrive, though it did it."""

    repeatable_for: timedelta = timedelta(hours=1)
    name: str = "provider"
    local: bool = False
    lost: int = 0
    looked_up: bool = True
    done: set[str] = field(default_factory=set[str])
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    async def run(self, db: Prisma, attempt: Attempt) -> Changed:
        self.attempts.append(attempt)
        if attempt == "look_up" and not self.looked_up:
            raise OutcomeUnknown("It cannot tell.")
        if attempt != "look_up":
            self.done.add("key")
        if self.lost:
            self.lost -= 1
            raise OutcomeUnknown("The answer was lost.")
        return Changed(ok=True)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.ledger.PAUSES", (0.0, 0.0))


async def status_of(ledger: Ledger) -> str:
    [row] = await ledger.db.effect.find_many()
    return row.status.value


async def test_an_effect_outside_is_asked_for_once_and_recorded(ledger: Ledger):
    provider = Provider()
    for _ in range(2):
        assert await ledger.execute(TOOL, planned(), provider.run, system=provider) == Changed(ok=True)
    assert (provider.attempts, await status_of(ledger)) == (["first"], "executed")


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(ledger: Ledger):
    provider = Provider(lost=2)
    assert await ledger.execute(TOOL, planned(), provider.run, system=provider) == Changed(ok=True)
    assert (provider.attempts, await status_of(ledger)) == (["first", "again", "again"], "executed")


async def test_what_stays_unknown_waits_for_a_person_and_is_not_tried_again(ledger: Ledger):
    provider = Provider(lost=99)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="a person must look"):
            await ledger.execute(TOOL, planned(), provider.run, system=provider)
    assert (len(provider.attempts), await status_of(ledger)) == (3, "needs_reconcile")


async def test_a_system_without_keys_is_asked_once_and_then_only_looked_at(ledger: Ledger):
    provider = Provider(repeatable_for=timedelta(0), lost=1)
    with pytest.raises(OutcomeUnknown):
        await ledger.execute(TOOL, planned(), provider.run, system=provider)
    assert (provider.attempts, await status_of(ledger)) == (["first"], "needs_reconcile")


@pytest.mark.parametrize(("hours", "attempt"), [(0.5, "again"), (2, "look_up")])
async def test_found_in_flight_after_a_crash_its_age_decides_what_may_be_done(
    ledger: Ledger, hours: float, attempt: Attempt
):
    provider = Provider()
    await ledger._reserve(TOOL, planned(), provider)  # pyright: ignore[reportPrivateUsage]
    await ledger.db.effect.update_many(data={"started_at": utc_now() - timedelta(hours=hours)})
    assert await ledger.execute(TOOL, planned(), provider.run, system=provider) == Changed(ok=True)
    assert (provider.attempts, await status_of(ledger)) == ([attempt], "executed")


async def test_a_look_up_that_cannot_tell_leaves_it_to_a_person(ledger: Ledger):
    provider = Provider(looked_up=False)
    await ledger._reserve(TOOL, planned(), provider)  # pyright: ignore[reportPrivateUsage]
    await ledger.db.effect.update_many(data={"started_at": utc_now() - timedelta(hours=2)})
    with pytest.raises(OutcomeUnknown):
        await ledger.execute(TOOL, planned(), provider.run, system=provider)
    assert (provider.done, await status_of(ledger)) == (set(), "needs_reconcile")


async def test_a_bug_around_an_effect_outside_leaves_it_to_a_person(ledger: Ledger):
    async def bug(db: Prisma, attempt: Attempt) -> Changed:
        raise RuntimeError("after the effect, who knows")

    with pytest.raises(RuntimeError):
        await ledger.execute(TOOL, planned(), bug, system=Provider())
    assert await status_of(ledger) == "needs_reconcile"


async def test_a_definite_no_from_outside_is_recorded_as_such(ledger: Ledger):
    async def decline(db: Prisma, attempt: Attempt) -> Changed:
        raise Conflict("The card was declined.")

    with pytest.raises(Conflict, match="declined"):
        await ledger.execute(TOOL, planned(), decline, system=Provider())
    assert await status_of(ledger) == "failed"


async def test_a_cancelled_caller_leaves_no_half_effect(ledger: Ledger):
    from agent.execute import to_its_end

    entered, hold = asyncio.Event(), asyncio.Event()

    async def wait_then_take_effect(tx: Prisma, attempt: Attempt) -> Changed:
        entered.set()
        await hold.wait()
        return await take_effect(tx, attempt)

    task = asyncio.create_task(to_its_end(ledger.execute(TOOL, planned(), wait_then_take_effect)))
    await entered.wait()
    task.cancel()
    task.cancel()
    hold.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    [row] = await ledger.db.effect.find_many()
    assert (row.status.value, await ledger.db.tag.count()) == ("executed", 1)


class Outside:
    """A system with idempotency keys."""

    name: str = "outside"
    local: bool = False
    repeatable_for: timedelta = timedelta(hours=1)


@pytest.mark.parametrize("ends", [RuntimeError("a bug"), OutcomeUnknown("Gone."), None])
async def test_who_lost_the_run_does_not_say_how_its_call_ended(ledger: Ledger, ends: Exception | None):
    async def lose_the_run(db: Prisma, attempt: Attempt) -> Changed:
        await ledger.db.run.update_many(data={"attempt": {"increment": 1}}, where={"id": ledger.run_id})
        if ends is not None:
            raise ends
        return Changed(ok=True)

    with pytest.raises(WorkLost):
        await ledger.execute(TOOL, planned(), lose_the_run, system=Outside())
    assert [row.status.value for row in await ledger.db.effect.find_many()] == ["reserved"]

    async def look(db: Prisma, attempt: Attempt) -> Changed:
        assert attempt == "again"
        return Changed(ok=True)

    now = await ledger.db.run.find_unique_or_raise(where={"id": ledger.run_id})
    taken_over = Ledger(ledger.db, ledger.run_id, utc_now, attempt=now.attempt)
    assert await taken_over.execute(TOOL, planned(), look, system=Outside()) == Changed(ok=True)
    assert [row.status.value for row in await ledger.db.effect.find_many()] == ["executed"]
