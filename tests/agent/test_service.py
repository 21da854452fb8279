"""The public entry: who may do what, one run a thread, keys, cancellation, start and stop."""

from __future__ import annotations

import asyncio

import pytest

from agent.errors import (
    DocumentNotFound,
    Forbidden,
    IdempotencyConflict,
    NotReady,
    RunEnded,
    RunNotFound,
    ThreadBusy,
    ThreadNotFound,
)
from agent.principal import Principal
from tests.agent.conftest import Office, OpenOffice, data_of, principal
from tests.support.desk_tools import Desk
from tests.support.scripted_model import asks, says

STRANGER = principal("admin", tenant="another")


async def add_document(office: Office, document_id: str, *, tenant: str) -> None:
    await office.db.document.create(
        data={
            "id": document_id,
            "tenant_id": tenant,
            "name": "po.pdf",
            "media_type": "application/pdf",
            "size_bytes": 1,
            "sha256": "",
            "content": b"x",
        }
    )


async def test_another_companys_thread_and_run_are_not_found(open_office: OpenOffice):
    office = await open_office([says("Hello.")])
    run_id = await office.ask("Hello?")
    await office.agent.wait(run_id)
    with pytest.raises(ThreadNotFound):
        await office.ask("Hello?", principal=STRANGER)
    with pytest.raises(RunNotFound):
        await office.agent.cancel(run_id, principal=STRANGER)
    with pytest.raises(RunNotFound):
        await office.agent.wait(run_id, principal=STRANGER)
    with pytest.raises(RunNotFound):
        await anext(office.agent.events(run_id, principal=STRANGER))


async def test_another_companys_document_is_not_found(open_office: OpenOffice):
    office = await open_office([])
    await office.db.tenant.create(data={"id": "another", "name": "Another"})
    await add_document(office, "doc_theirs", tenant="another")
    with pytest.raises(DocumentNotFound):
        await office.ask("Read it.", documents=["doc_theirs"])
    assert await office.db.run.count() == 0


async def test_an_attached_document_is_named_to_the_model(open_office: OpenOffice):
    office = await open_office([says("I see it.")])
    await add_document(office, "doc_ours", tenant="default")
    await office.agent.wait(await office.ask("Read it.", documents=["doc_ours"]))
    request = office.model.conversations[0][-1].content
    assert request.startswith("Read it.")
    assert "doc_ours" in request
    assert "po.pdf" in request


async def test_a_second_request_on_a_busy_thread_is_refused(open_office: OpenOffice):
    office = await open_office([says("Slowly.", pause=0.05), says("Now.")])
    run_id = await office.ask("Hello?")
    with pytest.raises(ThreadBusy):
        await office.ask("Hello?")
    await office.agent.wait(run_id)
    assert (await office.agent.wait(await office.ask("Hello?"))).answer == "Now."


async def test_of_ten_requests_at_once_one_runs(open_office: OpenOffice):
    office = await open_office([says("Once.", pause=0.05)])
    results = await asyncio.gather(*(office.ask("Hello?") for _ in range(10)), return_exceptions=True)
    runs = [result for result in results if isinstance(result, str)]
    assert len(runs) == 1
    assert sum(isinstance(result, ThreadBusy) for result in results) == 9
    assert (await office.agent.wait(runs[0])).answer == "Once."


async def test_the_same_key_gives_the_same_run(open_office: OpenOffice):
    office = await open_office([says("Once.")])
    first = await office.ask("Hello?", idempotency_key="k")
    assert await office.ask("Hello?", idempotency_key="k") == first
    await office.agent.wait(first)
    assert await office.ask("Hello?", idempotency_key="k") == first
    with pytest.raises(IdempotencyConflict):
        await office.ask("Something else?", idempotency_key="k")
    assert await office.db.run.count() == 1


async def test_the_same_key_at_the_same_time_gives_one_run(open_office: OpenOffice):
    office = await open_office([says("Once.", pause=0.02)])
    runs = await asyncio.gather(*(office.ask("Hello?", idempotency_key="k") for _ in range(8)), return_exceptions=True)
    ids = {run for run in runs if isinstance(run, str)}
    assert len(ids) == 1
    assert all(isinstance(run, str | ThreadBusy) for run in runs)
    await office.agent.wait(ids.pop())
    assert await office.db.run.count() == 1


async def test_without_a_role_nothing_is_asked(open_office: OpenOffice):
    office = await open_office([])
    with pytest.raises(Forbidden):
        await office.ask("Hello?", principal=Principal("default", None, frozenset()))


async def test_a_cancelled_run_stops_the_model_and_ends_its_stream(open_office: OpenOffice):
    office = await open_office([says("A long answer that nobody waits for.", pause=0.05)])
    run_id = await office.ask()
    await office.model.started.wait()
    await office.agent.cancel(run_id, principal=principal("admin"))
    events = await office.events(run_id)
    assert data_of(events, "run.finished")[-1]["status"] == "cancelled"
    assert office.model.closed == 1
    with pytest.raises(RunEnded):
        await office.agent.cancel(run_id, principal=principal("admin"))


async def test_a_running_effect_is_finished_recorded_and_told_when_its_run_is_cancelled(open_office: OpenOffice):
    desk = Desk(hold=asyncio.Event())
    office = await open_office([asks(("change", {"customer": "cus_acme"})), says("Never said.")], desk=desk)
    run_id = await office.ask()
    await desk.entered.wait()
    cancelling = asyncio.create_task(office.agent.cancel(run_id, principal=principal("admin")))
    await asyncio.sleep(0.05)
    assert desk.hold is not None
    desk.hold.set()
    await cancelling
    events = await office.events(run_id)
    assert data_of(events, "tool.result")[0]["status"] == "succeeded"
    assert data_of(events, "run.finished")[-1]["status"] == "cancelled"
    assert await office.effects() == 1
    assert len(office.model.conversations) == 1


async def test_a_cancelled_runs_open_calls_are_answered_for_the_next_turn(open_office: OpenOffice):
    office = await open_office([asks(("pay", {"customer": "cus_acme"})), says("Nothing was paid.")])
    run_id = await office.ask()
    await office.agent.wait(run_id)
    await office.agent.cancel(run_id, principal=principal("admin"))
    await office.agent.wait(await office.ask("What happened?"))
    roles = [message.role for message in office.model.conversations[-1]][-5:]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    rows = await office.db.message.find_many(where={"thread_id": office.thread_id}, order={"position": "asc"})
    assert [row.position for row in rows] == list(range(len(rows)))
    assert [row.role.value for row in rows] == ["user", "assistant", "tool", "assistant", "user", "assistant"]


async def test_history_is_dropped_by_whole_turns(open_office: OpenOffice):
    turn = [asks(("look_up", {"name": "ACME"})), says("It is cus_acme.")]
    office = await open_office([*turn, *turn, says("Enough.")], history_tokens=120)
    for question in ("The first question?", "The second question?", "The third question?"):
        await office.agent.wait(await office.ask(question))
    said = [message.content for message in office.model.conversations[-1]]
    assert not any("The first question?" in text for text in said)
    start = next(index for index, text in enumerate(said) if "The second question?" in text)
    assert "look_up" in said[start + 1]
    assert "cus_acme" in said[start + 2]


async def test_nothing_is_taken_before_start_and_after_stop(open_office: OpenOffice):
    office = await open_office([])
    assert office.agent.ready
    await office.agent.stop()
    assert not office.agent.ready
    with pytest.raises(NotReady):
        await office.ask("Hello?")


async def test_stop_lets_a_run_end_within_the_grace(open_office: OpenOffice):
    office = await open_office([says("Just in time.", pause=0.02)])
    run_id = await office.ask("Hello?")
    await office.agent.stop(grace=5.0)
    assert (await office.agent.wait(run_id)).answer == "Just in time."


async def test_stop_interrupts_what_does_not_end_but_not_an_effect(open_office: OpenOffice):
    desk = Desk(hold=asyncio.Event())
    office = await open_office([asks(("change", {"customer": "cus_acme"}))], desk=desk)
    run_id = await office.ask()
    await desk.entered.wait()
    stopping = asyncio.create_task(office.agent.stop(grace=0.05))
    await asyncio.sleep(0.2)
    assert not stopping.done()
    assert desk.hold is not None
    desk.hold.set()
    await stopping
    record = await office.agent.wait(run_id)
    assert (record.status, record.error and record.error.code) == ("failed", "interrupted")
    assert await office.effects() == 1


async def test_the_model_is_warmed_with_the_prefix_that_every_conversation_begins_with(open_office: OpenOffice):
    office = await open_office([says("Hello.")])
    await office.agent.wait(await office.ask("Hello?"))
    prefix = list(office.model.warm_prefix)
    assert len(prefix) > 1
    assert office.model.conversations[0][: len(prefix)] == prefix


async def test_a_run_that_waits_for_a_person_still_waits_after_a_stop(open_office: OpenOffice):
    office = await open_office([asks(("pay", {"customer": "cus_acme"}))])
    run_id = await office.ask()
    assert (await office.agent.wait(run_id)).status == "waiting"
    await office.agent.stop(grace=0.0)
    assert (await office.agent.wait(run_id)).status == "waiting"
    assert await office.db.approval.count(where={"status": "pending"}) == 1
