"""Two servers on one PostgreSQL: whatever comes to one holds at the other."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.support.chaos.desk import Desk
from tests.support.chaos.nursery import Nursery
from tests.support.chaos.races import race_over_http
from tests.support.chaos.readers import approval_seconds, approve_all, read_one_by_one, send, whole
from tests.support.chaos.rounds import Trial, trial
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="session")]

RACES = 3
APPROVALS = 3
GENEROUS = 2.0  # seconds, where 0.2 are promised on a machine that does nothing else


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(
    nursery: Nursery, keeping_postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Trial]:
    """Two servers at work, with Stripe, where an effect can be made to take a while."""
    name = await keeping_postgres.create_database()
    url, folder = keeping_postgres.url(name), tmp_path_factory.mktemp("two")
    async with trial(url, folder, nursery, orders=40, replicas=2, invoicing="stripe") as made:
        await asyncio.gather(*(replica.start() for replica in made.replicas))
        yield made
    await keeping_postgres.drop_database(name)


async def test_of_two_decisions_at_two_servers_one_is_carried_out(made: Trial):
    await race_over_http(made, "approve against approve", times=RACES)


async def test_a_decision_and_a_cancellation_at_two_servers_execute_once_or_not_at_all(made: Trial):
    await race_over_http(made, "approve against cancel", times=RACES)


async def test_a_reader_who_leaves_after_every_event_reads_the_same_bytes_at_other_servers(made: Trial):
    run_id = await send(made.replicas[0], made.documents.pop())
    body, _ = await asyncio.gather(read_one_by_one(made, run_id), approve_all(made.replicas[1], run_id))
    assert body == await whole(made.replicas[0], run_id) == await whole(made.replicas[1], run_id)
    assert body.count(b"event: tool.result") == 5


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_was_approved_is_done_at_once(made: Trial, elsewhere: bool):
    seconds = await approval_seconds(made, times=APPROVALS, elsewhere=elsewhere)
    assert statistics.median(seconds) < GENEROUS


async def test_a_cancellation_at_another_server_stops_the_model(made: Trial):
    here, there = Desk(made.replicas[0]), Desk(made.replicas[1])
    run_id = await here.run(await here.thread(), "Tell me slowly.")
    await here.until(run_id, "running")
    assert await there.cancel(run_id) == 202
    assert (await there.ended(run_id))["status"] == "cancelled"
    assert await here.story(run_id) == await there.story(run_id)
    assert b'"status":"cancelled"' in (await here.story(run_id)).splitlines()[-2]


async def test_a_running_effect_is_finished_recorded_and_told_when_another_server_is_asked_to_cancel(made: Trial):
    assert made.stripe is not None
    here, there = Desk(made.replicas[0]), Desk(made.replicas[1])
    run_id, document = await send(made.replicas[0], made.documents[-1]), made.documents.pop()
    made.stripe.fail("hang", when="before", path="finalize", seconds=1.0)
    asked = len(made.stripe.posts)
    async with asyncio.timeout(30):
        while not any("finalize" in post.path for post in made.stripe.posts[asked:]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await there.cancel(run_id) == 202
    told_by_then = await here.story(run_id) if (await here.show(run_id))["status"] == "cancelled" else b""
    run = await here.ended(run_id)
    made.stripe.faults.clear()
    assert run["status"] == "cancelled"
    assert "issue_invoice" in run["error"]["message"]
    story = await there.story(run_id)
    assert story.startswith(told_by_then)
    assert b'"tool":"take_payment"' not in story
    assert (await here.show(run_id))["answer"] == run["error"]["message"], document


async def test_a_second_request_is_refused_waits_or_interrupts_also_at_another_server(made: Trial):
    here, there = Desk(made.replicas[0]), Desk(made.replicas[1])
    thread = await here.thread()
    first = await here.run(thread, "Tell me slowly.")
    refused = await there.ask(thread, "And this?")
    assert (refused.status_code, refused.json()["code"]) == (409, "thread_busy")
    second = await there.run(thread, "And this?", multitask="enqueue")
    assert (await there.show(second))["status"] == "queued"
    assert (await there.ended(first))["status"] == "succeeded"
    assert (await here.ended(second))["status"] == "succeeded"
    third = await here.run(thread, "Tell me slowly.")
    fourth = await there.run(thread, "Never mind.", multitask="interrupt")
    assert (await here.ended(third))["status"] == "cancelled"
    assert (await here.ended(fourth))["status"] == "succeeded"


async def test_an_order_that_waits_for_a_person_can_be_interrupted_at_another_server(made: Trial):
    here, there = Desk(made.replicas[0]), Desk(made.replicas[1])
    thread = await here.thread()
    waiting = await here.run(thread, "Pay this order.", documents=[made.documents.pop()])
    await here.until(waiting, "waiting")
    other = await there.run(thread, "Never mind.", multitask="interrupt")
    assert (await here.ended(waiting))["status"] == "cancelled"
    assert (await here.ended(other))["status"] == "succeeded"
