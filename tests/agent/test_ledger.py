"""The ledger alone: reserved, executed, recorded; the same call never twice, whoever executes it."""

from __future__ import annotations

import asyncio
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
