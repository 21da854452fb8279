"""What the engine hears of: an answer without a tool needs no record, any other work begins with its first step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from agent.durable.plain import PlainEngine
from agent.principal import DEFAULT_TENANT
from agent.service import Agent
from agent.settings import AgentSettings
from tests.agent.conftest import data_of, principal, types
from tests.support.desk_tools import Desk, desk_tools
from tests.support.scripted_model import Script, ScriptedModel, asks, says

if TYPE_CHECKING:
    from prisma import Prisma

CHANGE = asks(("change", {"customer": "cus_acme"}))


class ListeningEngine(PlainEngine):
    """Remembers what it was told."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.recorded: list[tuple[str, Any]] = []

    async def begin(self, handler: str, work_id: str, argument: str) -> None:
        self.begun.append(work_id)
        await super().begin(handler, work_id, argument)

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        result = await work()
        self.recorded.append((name, result))
        return result


@asynccontextmanager
async def working(database: Prisma, engine: ListeningEngine, model: ScriptedModel) -> AsyncGenerator[Agent]:
    agent = Agent.create(
        AgentSettings(max_running=1),
        db=database,
        backend=model,
        engine=engine,
        invoices=cast("Any", None),
        tools=desk_tools(Desk()),
    )
    await agent.start()
    try:
        yield agent
    finally:
        await agent.stop()


async def ask(agent: Agent, database: Prisma) -> str:
    thread = await database.thread.create(data={"tenant_id": DEFAULT_TENANT})
    return await agent.submit(thread_id=thread.id, input="Change cus_acme.", principal=principal("admin"))


async def answer(database: Prisma, script: Script) -> tuple[ListeningEngine, ScriptedModel, list[str]]:
    engine, model = ListeningEngine(), ScriptedModel([*script])
    async with working(database, engine, model) as agent:
        run_id = await ask(agent, database)
        async with asyncio.timeout(10):
            assert (await agent.wait(run_id)).status == "succeeded"
        events = [event async for event in agent.events(run_id)]
    assert [event["status"] for event in data_of(events, "tool.result")] == ["succeeded"] * (len(script) - 1)
    return engine, model, types(events)


async def test_an_answer_without_a_tool_needs_no_record(database: Prisma):
    engine, _, told = await answer(database, [says("Nothing to do.")])
    assert (engine.begun, engine.recorded) == ([], [])
    assert told == ["run.started", "token", "message", "run.finished"]


async def test_the_first_record_of_work_is_what_the_model_said_before_it_began(database: Prisma):
    engine, model, told = await answer(database, [CHANGE, says("Done.")])
    assert len(engine.begun) == 1
    assert engine.recorded[0][0] == engine.recorded[-1][0] == "model"
    assert engine.recorded[0][1]["message"]["calls"][0]["tool"] == "change"
    assert len(model.conversations) == 2, "the model was not paid for its first step again"
    assert told == ["run.started", "tool.call", "tool.result", "token", "message", "run.finished"]
    assert await database.tag.count() == 1


async def test_work_that_begins_keeps_the_place_that_its_run_had(database: Prisma):
    engine, model = ListeningEngine(), ScriptedModel([CHANGE, says("Done."), says("Hello.")])
    async with working(database, engine, model) as agent, asyncio.timeout(10):
        first, second = await ask(agent, database), await ask(agent, database)
        assert {(await agent.wait(run_id)).status for run_id in (first, second)} == {"succeeded"}
    before = await database.run.find_unique_or_raise(where={"id": first})
    after = await database.run.find_unique_or_raise(where={"id": second})
    assert before.finished_at is not None
    assert after.started_at is not None
    assert before.finished_at <= after.started_at
