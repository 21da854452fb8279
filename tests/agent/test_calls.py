"""What happens to a call: its arguments, its bug, its role, what a check found."""

from __future__ import annotations

import pytest

from tests.agent.conftest import OpenOffice, data_of, principal, types
from tests.support.desk_tools import Desk
from tests.support.scripted_model import asks, says

CHANGE = ("change", {"customer": "cus_acme"})
PAY = ("pay", {"customer": "cus_acme"})
CHECK = ("check", {"customer": "cus_acme"})


async def test_wrong_arguments_are_explained_to_the_model_in_a_line(open_office: OpenOffice):
    office = await open_office([asks(("change", {"customer": 7})), says("Sorry.")], native_tools=True)
    events = await office.events(await office.ask())
    [result] = data_of(events, "tool.result")
    assert result["error"]["code"] == "invalid_arguments"
    assert result["error"]["message"].startswith("customer: ")
    assert "pydantic" not in office.model.conversations[1][-1].content
    assert await office.effects() == 0


async def test_a_reference_that_nobody_named_is_refused_even_from_a_native_model(open_office: OpenOffice):
    office = await open_office([asks(("change", {"customer": "cus_evil"})), says("Sorry.")], native_tools=True)
    events = await office.events(await office.ask())
    assert data_of(events, "tool.result")[0]["error"]["code"] == "invalid_arguments"
    assert await office.effects() == 0


async def test_an_unknown_tool_is_answered_with_those_there_are(open_office: OpenOffice):
    office = await open_office([asks(("drop_tables", {})), says("Sorry.")], native_tools=True)
    events = await office.events(await office.ask())
    [result] = data_of(events, "tool.result")
    assert result["error"]["code"] == "not_found"
    assert "look_up" in result["error"]["message"]


async def test_a_tool_error_is_for_the_model_and_the_turn_goes_on(open_office: OpenOffice):
    office = await open_office([asks(("look_up", {"name": "nobody"})), says("No such customer.")])
    record = await office.agent.wait(await office.ask("Who is nobody?"))
    assert record.status == "succeeded"
    assert "No customer 'nobody'. Ask the user." in office.model.conversations[1][-1].content


async def test_a_bug_ends_the_run_is_logged_and_not_told(open_office: OpenOffice, caplog: pytest.LogCaptureFixture):
    office = await open_office([asks(CHANGE)], desk=Desk(bug=True))
    events = await office.events(await office.ask())
    assert data_of(events, "run.finished")[0]["error"]["code"] == "internal"
    assert not any(b"secret of the tool" in event.data for event in events)
    assert "the secret of the tool" in caplog.text
    assert await office.effects() == 0


async def test_when_one_call_has_a_bug_its_siblings_effects_are_recorded(open_office: OpenOffice):
    faulty = ("change", {"customer": "cus_acme", "note": "bug"})
    office = await open_office([asks(CHANGE, faulty)], native_tools=True)
    run_id = await office.ask("Change cus_acme, note bug.")
    record = await office.agent.wait(run_id)
    assert record.error is not None
    assert record.error.code == "internal"
    assert await office.effects() == 1
    rows = await office.db.effect.find_many(where={"run_id": run_id})
    assert sorted(row.status.value for row in rows) == ["executed", "failed"]


async def test_a_forbidden_tool_is_neither_in_the_prompt_nor_executed(open_office: OpenOffice):
    office = await open_office([asks(CHANGE), says("I may not.")])
    events = await office.events(await office.ask(principal=principal("viewer")))
    prompt = office.model.conversations[0][0].content
    assert "look_up(" in prompt
    assert not any(f"{tool}(" in prompt for tool in ("change", "pay", "mail"))
    assert '"change"' not in str(office.model.schemas[0]).replace("'", '"')
    assert data_of(events, "tool.result")[0]["error"]["code"] == "not_found"
    assert await office.effects() == 0


async def test_a_tool_whose_surroundings_are_not_configured_is_not_offered(open_office: OpenOffice):
    office = await open_office([says("Hello.")], native_tools=True)
    await office.agent.wait(await office.ask("Hello?"))
    assert "search_web" not in office.model.offered[0]


async def test_after_blocking_findings_no_effect_is_offered_or_executed(open_office: OpenOffice):
    script = [asks(CHECK), asks(CHANGE), asks(PAY), says("It is blocked.")]
    office = await open_office(script, desk=Desk(blocking=True), native_tools=True)
    events = await office.events(await office.ask())
    assert "change" in office.model.offered[0]
    assert {"change", "pay", "mail"}.isdisjoint(office.model.offered[1])
    assert [data["status"] for data in data_of(events, "tool.result")] == ["succeeded", "refused", "refused"]
    assert {data["guard"] for data in data_of(events, "guard")} == {"no_effects_after_blocking_findings"}
    assert await office.db.approval.count() == 0
    assert await office.effects() == 0


async def test_a_check_stops_the_effect_that_was_asked_for_beside_it(open_office: OpenOffice):
    office = await open_office([asks(CHANGE, CHECK), says("Blocked.")], desk=Desk(blocking=True), native_tools=True)
    events = await office.events(await office.ask())
    assert sorted(data["status"] for data in data_of(events, "tool.result")) == ["refused", "succeeded"]
    assert await office.effects() == 0


async def test_the_next_turn_of_the_person_may_go_on_after_findings(open_office: OpenOffice):
    office = await open_office([asks(CHECK), says("Blocked."), asks(CHANGE), says("Done.")], desk=Desk(blocking=True))
    await office.agent.wait(await office.ask())
    await office.agent.wait(await office.ask("Change cus_acme all the same."))
    assert await office.effects() == 1


async def test_a_tool_that_is_blocked_by_findings_stops_further_effects(open_office: OpenOffice):
    office = await open_office([asks(CHANGE), asks(PAY), says("-")], desk=Desk(blocked=True), native_tools=True)
    events = await office.events(await office.ask())
    assert [data["status"] for data in data_of(events, "tool.result")] == ["failed", "refused"]


async def test_a_mere_conflict_does_not(open_office: OpenOffice):
    office = await open_office([asks(CHANGE), asks(PAY), says("-")], desk=Desk(conflict=True), native_tools=True)
    events = await office.events(await office.ask())
    assert types(events)[-1] == "run.finished"
    assert len(data_of(events, "approval.required")) == 1


async def test_every_call_has_its_own_id_even_when_the_server_repeats_them(open_office: OpenOffice):
    twice = [asks(("look_up", {"name": "one"}), ("look_up", {"name": "two"})), asks(("look_up", {"name": "three"}))]
    office = await open_office([*twice, says("Three.")], native_tools=True)
    events = await office.events(await office.ask())
    ids = [data["call_id"] for data in data_of(events, "tool.call")]
    assert len(set(ids)) == 3
    assert types(events).count("tool.result") >= 1
