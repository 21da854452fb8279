"""What a takeover knows of those before it."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent import caretaker
from agent.durable.plain import PlainEngine
from agent.ending import INTERRUPTED
from agent.event_log import MAX_BEHIND
from agent.principal import LOCAL
from agent.records import StoredEvent
from agent.rest_store import RestStore
from agent.run_store import RunStore
from agent.service import Agent
from agent.settings import AgentSettings
from agent.takeover import MAX_RECOVERIES, first_unseen, is_stuck
from tests.support.desk_tools import Desk, desk_tools
from tests.support.scripted_model import ScriptedModel
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma


def told(*types: str) -> list[StoredEvent]:
    return [StoredEvent(number, kind, b"{}") for number, kind in enumerate(types, 1)]


@pytest.mark.parametrize("stored", [0, 1, MAX_BEHIND])
def test_no_takeover_gives_a_number_that_one_before_it_may_have_given(stored: int):
    """Each one stores `stored` events and tells `MAX_BEHIND` and one more, which nobody stores."""
    last, given = 0, 7
    for attempt in range(2, 30):
        base = first_unseen(last, attempt=attempt)
        assert base >= given
        last = base + stored if stored else last
        given = base + stored + MAX_BEHIND + 1


def test_a_stretch_that_kills_its_process_again_and_again_is_given_up():
    in_vain = ["run.resumed", "token"] * (MAX_RECOVERIES + 1)
    assert is_stuck(told("run.started", *in_vain), recoveries=MAX_RECOVERIES + 1)
    assert not is_stuck(told("run.started", *in_vain[2:]), recoveries=MAX_RECOVERIES)


def test_a_stretch_that_gets_further_each_time_is_not_given_up():
    steps = accumulate([("run.resumed", "tool.result")] * MAX_RECOVERIES * 2)
    assert not any(is_stuck(told(*each), recoveries=len(each) // 2) for each in steps)


def test_one_that_dies_before_it_tells_anything_is_given_up_in_the_end():
    assert is_stuck([], recoveries=MAX_RECOVERIES**2 + 1)


class EngineElsewhere(PlainEngine):
    """Knows that another process began the work already."""

    async def begin(self, handler: str, work_id: str, argument: str) -> None:
        pass


async def test_readers_of_a_run_that_was_taken_over_before_it_began_here_are_told_its_end(
    database: Prisma, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caretaker, "STRAY_INTERVAL", 0.02)
    agent = Agent.create(
        AgentSettings(),
        db=database,
        backend=ScriptedModel([]),
        engine=EngineElsewhere(),
        invoices=cast("Any", None),
        tools=desk_tools(Desk()),
    )
    await agent.start()
    thread = await database.thread.create(data={"tenant_id": "default"})
    run_id = await agent.submit(thread_id=thread.id, input="Hello.", principal=LOCAL)
    reading = asyncio.create_task(agent.wait(run_id))
    elsewhere = RunStore(database, utc_now)
    assert await elsewhere.claim(run_id, stretch=0, owner_id="elsewhere")
    await asyncio.sleep(0.1)
    await RestStore(database, utc_now).end_resting(
        run_id, was=["running"], ending=INTERRUPTED, messages=[], final=b"{}"
    )
    async with asyncio.timeout(5):
        assert (await reading).status == "failed"
        await agent.stop(grace=0.0)
