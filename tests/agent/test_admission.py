"""So many runs work at once, so many wait, and the next is refused: also when all come in the same moment."""

from __future__ import annotations

import asyncio

from agent.errors import TooBusy
from tests.agent.conftest import OpenOffice
from tests.support.scripted_model import says

RUNNING, QUEUED = 2, 3


async def test_of_many_requests_at_once_no_more_are_taken_than_may_run_and_wait(open_office: OpenOffice):
    answers = [says("Done.", pause=0.02) for _ in range(RUNNING + QUEUED)]
    office = await open_office(answers, max_running=RUNNING, max_queued=QUEUED)
    threads = [await office.db.thread.create(data={"tenant_id": "default"}) for _ in range(12)]
    taken = await asyncio.gather(*(office.ask(thread_id=thread.id) for thread in threads), return_exceptions=True)
    refused = [each for each in taken if isinstance(each, TooBusy)]
    assert len(refused) == 12 - RUNNING - QUEUED
    assert all(each.retry_after_seconds >= 1 for each in refused)
    statuses = [run.status.value for run in await office.db.run.find_many()]
    assert statuses.count("running") <= RUNNING
    runs = [each for each in taken if isinstance(each, str)]
    records = await asyncio.gather(*(office.agent.wait(run_id) for run_id in runs))
    assert [record.status for record in records] == ["succeeded"] * (RUNNING + QUEUED)


async def test_a_place_that_was_kept_for_a_refused_request_is_free_again(open_office: OpenOffice):
    office = await open_office([says("Done.")], max_running=1, max_queued=0)
    for _ in range(3):
        refused = await asyncio.gather(office.ask(thread_id="no such thread"), return_exceptions=True)
        assert not isinstance(refused[0], TooBusy)
    assert (await office.agent.wait(await office.ask())).status == "succeeded"


async def test_who_waits_for_its_thread_keeps_no_place_from_others(open_office: OpenOffice):
    office = await open_office([says("one", pause=0.1), says("other"), says("two")], max_running=2, max_queued=3)
    first = await office.ask()
    second = await office.ask(when_busy="enqueue")
    thread = await office.db.thread.create(data={"tenant_id": "default"})
    other = await office.ask(thread_id=thread.id)
    assert [(await office.agent.wait(run)).answer for run in (first, other, second)] == ["one", "other", "two"]
