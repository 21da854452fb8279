"""The engine's own records cannot be reached for a while: the run goes on afterwards, as if it had been killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent import caretaker
from agent.approvals import Approvals
from agent.durable.base import RecordsAway, Status
from agent.durable.plain import PlainEngine
from agent.ledger import Ledger
from agent.opening import Opening
from agent.principal import DEFAULT_TENANT
from agent.service import Agent
from agent.settings import AgentSettings
from prisma.errors import DatabaseConnectionError
from tests.agent.conftest import data_of, principal, types
from tests.support.desk_tools import Desk, desk_tools
from tests.support.scripted_model import ScriptedModel, asks, says

if TYPE_CHECKING:
    from prisma import Prisma


class ForgetfulEngine(PlainEngine):
    """Records steps in memory, what they raise too (as DBOS does), and cannot when it comes to the `away`th."""

    durable = True

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away
        self.steps: list[Any] = []
        self.replayed: int = 0
        self.resumed: list[str] = []
        self.begun: set[str] = set()

    async def begin(self, handler: str, work_id: str, argument: str) -> None:
        if work_id not in self.begun:
            self.steps = []
        self.begun.add(work_id)
        self.replayed = 0
        await super().begin(handler, work_id, argument)

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        self.replayed += 1
        if self.replayed <= len(self.steps):
            recorded = self.steps[self.replayed - 1]
            if isinstance(recorded, Exception):
                raise recorded
            return recorded
        try:
            result = await work()
        except Exception as error:
            self.steps.append(error)
            raise
        self.away -= 1
        if self.away == 0:
            raise RecordsAway("No such socket.")
        self.steps.append(result)
        return result

    async def status(self, work_id: str) -> Status:
        return "unfinished" if work_id in self.begun else "unknown"

    async def resume(self, work_id: str) -> None:
        self.resumed.append(work_id)
        await self.begin("run", work_id, work_id)


async def started(database: Prisma, model: ScriptedModel, engine: ForgetfulEngine) -> Agent:
    agent = Agent.create(
        AgentSettings(),
        db=database,
        backend=model,
        engine=engine,
        invoices=cast("Any", None),
        tools=desk_tools(Desk()),
    )
    await agent.start()
    return agent


@pytest.mark.parametrize("away", [1, 2, 3])
async def test_a_run_goes_on_from_its_last_recorded_step(database: Prisma, monkeypatch: pytest.MonkeyPatch, away: int):
    monkeypatch.setattr(caretaker, "STRAY_INTERVAL", 0.05)
    engine, model = ForgetfulEngine(away), ScriptedModel([])
    change = asks(("change", {"customer": "cus_acme"}))
    model.script += [change, change, says("Done.")] if away == 1 else [change, says("Done."), says("Done.")]
    agent = await started(database, model, engine)
    thread = await database.thread.create(data={"tenant_id": DEFAULT_TENANT})
    run_id = await agent.submit(thread_id=thread.id, input="Change cus_acme.", principal=principal("admin"))
    async with asyncio.timeout(10):
        assert (await agent.wait(run_id)).status == "succeeded"
    events = [event async for event in agent.events(run_id)]
    await agent.stop()
    assert engine.resumed == [f"{run_id}:0"]
    assert await database.tag.count() == 1
    assert len(data_of(events, "tool.result")) == 1
    assert types(events)[-1] == "run.finished"


async def test_a_database_that_is_away_for_longer_than_a_tool_waits_ends_no_run(
    database: Prisma, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caretaker, "STRAY_INTERVAL", 0.05)
    outages = iter([True, True, False])

    async def reserve(self: Ledger, *args: Any, **options: Any) -> Any:
        if next(outages, False):
            raise DatabaseConnectionError("No route to the database.")
        return await original(self, *args, **options)

    original = Ledger.execute
    monkeypatch.setattr(Ledger, "execute", reserve)
    change = asks(("change", {"customer": "cus_acme"}))
    agent = await started(database, ScriptedModel([change, says("Done.")]), ForgetfulEngine(away=1_000))
    thread = await database.thread.create(data={"tenant_id": DEFAULT_TENANT})
    run_id = await agent.submit(thread_id=thread.id, input="Change cus_acme.", principal=principal("admin"))
    async with asyncio.timeout(10):
        assert (await agent.wait(run_id)).status == "succeeded"
    await agent.stop()
    assert await database.tag.count() == 1


@pytest.mark.parametrize("where", [(Approvals, "answers"), (Opening, "_saved")])
async def test_a_database_that_is_away_when_a_person_has_decided_ends_no_run(
    database: Prisma, monkeypatch: pytest.MonkeyPatch, where: tuple[type, str]
):
    """A step that failed for want of the database is no step: recorded, it would fail again in every process."""
    monkeypatch.setattr(caretaker, "STRAY_INTERVAL", 0.05)
    outages = iter([True, True, False])

    async def asked(self: Any, *args: Any) -> Any:
        if next(outages, False):
            raise DatabaseConnectionError("No route to the database.")
        return await original(self, *args)

    original = getattr(*where)
    monkeypatch.setattr(*where, asked)
    pay = asks(("pay", {"customer": "cus_acme"}))
    agent = await started(database, ScriptedModel([pay, says("Done.")]), ForgetfulEngine(away=1_000))
    thread = await database.thread.create(data={"tenant_id": DEFAULT_TENANT})
    run_id = await agent.submit(thread_id=thread.id, input="Pay cus_acme.", principal=principal("admin"))
    async with asyncio.timeout(10):
        assert (await agent.wait(run_id)).status == "waiting"
        row = await database.approval.find_first_or_raise(where={"run_id": run_id})
        await agent.decide(row.id, decision="approve", digest=row.digest, reason=None, principal=principal("approver"))
        assert (await agent.wait(run_id)).status == "succeeded"
    events = [event async for event in agent.events(run_id)]
    await agent.stop()
    assert [result["status"] for result in data_of(events, "tool.result")] == ["succeeded"]
