"""One turn, end to end: a scripted model, tools that leave traces, a real database."""

from __future__ import annotations

import orjson

from tests.agent.conftest import OpenOffice, data_of, text_of, types
from tests.support.scripted_model import asks, says


async def test_an_answer_streams_as_tokens_and_is_stored_as_the_same_bytes(open_office: OpenOffice):
    office = await open_office([says("The customer is fine, all of it, from beginning to end.")])
    run_id = await office.ask()
    live = await office.events(run_id)
    assert types(live) == ["run.started", "token", "message", "run.finished"]
    assert text_of(live) == "The customer is fine, all of it, from beginning to end."
    assert data_of(live, "message") == [{"text": text_of(live)}]
    assert [event.sequence for event in live] == list(range(1, len(live) + 1))
    assert await office.events(run_id) == live
    record = await office.agent.wait(run_id)
    assert (record.status, record.answer, record.usage.steps) == ("succeeded", text_of(live), 1)


async def test_a_tool_is_called_and_the_model_reads_its_result(open_office: OpenOffice):
    office = await open_office([asks(("look_up", {"name": "ACME"})), says("It is cus_acme.")])
    events = await office.events(await office.ask("Who is ACME?"))
    assert types(events) == ["run.started", "tool.call", "tool.result", "token", "message", "run.finished"]
    assert data_of(events, "tool.call")[0]["arguments"] == {"name": "ACME"}
    assert data_of(events, "tool.call")[0]["origins"] == {"name": "user"}
    assert data_of(events, "tool.result")[0]["result"] == {"id": "cus_acme", "name": "ACME"}
    assert "cus_acme" in office.model.conversations[1][-1].content
    assert data_of(events, "run.finished")[0]["usage"] == {"input_tokens": 200, "output_tokens": 20, "steps": 2}


async def test_a_write_happens_once_and_is_in_the_ledger(open_office: OpenOffice):
    office = await open_office([asks(("change", {"customer": "cus_acme"})), says("Done.")])
    run_id = await office.ask()
    await office.agent.wait(run_id)
    assert await office.effects() == 1
    [effect] = await office.db.effect.find_many(where={"run_id": run_id})
    assert (effect.status.value, effect.result, effect.tool) == ("executed", {"ok": True}, "change")


async def test_calls_of_one_step_run_at_once(open_office: OpenOffice):
    step = asks(("look_up", {"name": "one"}), ("look_up", {"name": "two"}), ("look_up", {"name": "three"}))
    office = await open_office([step, says("Three.")], native_tools=True)
    events = await office.events(await office.ask())
    assert office.desk.most_at_once == 3
    assert len({data["call_id"] for data in data_of(events, "tool.result")}) == 3


async def test_the_next_turn_remembers_the_one_before(open_office: OpenOffice):
    office = await open_office([asks(("look_up", {"name": "ACME"})), says("Found."), says("cus_acme, as I said.")])
    await office.agent.wait(await office.ask("Who is ACME?"))
    await office.agent.wait(await office.ask("Again?"))
    said = [message.content for message in office.model.conversations[-1]]
    assert any("Who is ACME?" in text for text in said)
    assert orjson.dumps(office.model.schemas[-1]).count(b"cus_acme") > 0
    rows = await office.db.message.find_many(where={"thread_id": office.thread_id}, order={"position": "asc"})
    assert [row.position for row in rows] == list(range(len(rows)))
    assert [row.role.value for row in rows] == ["user", "assistant", "tool", "assistant", "user", "assistant"]
