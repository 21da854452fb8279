"""Every run ends: by its own limits, with a code that says which."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from agent.errors import InputTooLong
from agent.llm.base import Usage
from agent.llm.errors import MalformedAnswer, ModelUnavailable, StreamBroken
from agent.messages import ChatMessage
from tests.agent.conftest import OpenOffice, data_of, text_of, types
from tests.support.desk_tools import Desk
from tests.support.scripted_model import Step, asks, says


def look_up_another(messages: Sequence[ChatMessage]) -> Step:
    return asks(("look_up", {"name": f"customer {len(messages)}"}))


async def test_a_model_that_never_answers_ends_at_the_step_limit(open_office: OpenOffice):
    office = await open_office([look_up_another] * 20, max_steps=3, native_tools=True)
    record = await office.agent.wait(await office.ask())
    assert (record.status, record.error and record.error.code, record.usage.steps) == ("failed", "step_limit", 3)


async def test_a_model_that_uses_too_many_tokens_ends_at_the_token_limit(open_office: OpenOffice):
    script = [asks(("look_up", {"name": "ACME"}), usage=Usage(900, 200)), says("Too late.")]
    office = await open_office(script, max_tokens=1_000)
    record = await office.agent.wait(await office.ask())
    assert (record.status, record.error and record.error.code) == ("failed", "token_limit")


async def test_an_answer_that_is_cut_off_is_not_passed_off_as_whole(open_office: OpenOffice):
    office = await open_office([Step(raw=['{"answer": "It goes on and'], finish="length")])
    events = await office.events(await office.ask())
    assert data_of(events, "run.finished")[0]["error"]["code"] == "token_limit"
    assert "message" not in types(events)


async def test_a_slow_model_ends_at_the_time_limit(open_office: OpenOffice):
    office = await open_office([says("So slow that nobody waits.", pause=0.1)], max_seconds=0.25)
    record = await office.agent.wait(await office.ask())
    assert (record.status, record.error and record.error.code) == ("failed", "time_limit")
    assert office.model.closed == 1


async def test_the_time_limit_never_breaks_off_an_effect(open_office: OpenOffice):
    desk = Desk(hold=asyncio.Event())
    office = await open_office([asks(("change", {"customer": "cus_acme"})), says("-")], desk=desk, max_seconds=0.2)
    run_id = await office.ask()
    await desk.entered.wait()
    await asyncio.sleep(0.4)
    assert desk.hold is not None
    desk.hold.set()
    record = await office.agent.wait(run_id)
    assert (record.status, record.error and record.error.code) == ("failed", "time_limit")
    assert await office.effects() == 1
    [effect] = await office.db.effect.find_many(where={"run_id": run_id})
    assert effect.status.value == "executed"


async def test_a_slow_read_is_broken_off_at_the_time_limit(open_office: OpenOffice):
    office = await open_office([asks(("look_up", {"name": "slow"})), says("-")], max_seconds=0.2)
    record = await office.agent.wait(await office.ask())
    assert (record.status, record.error and record.error.code) == ("failed", "time_limit")


async def test_a_tool_that_hangs_is_timed_out_and_the_model_is_told(open_office: OpenOffice):
    office = await open_office([asks(("look_up", {"name": "slow"})), says("It hangs.")], tool_timeout=0.05)
    events = await office.events(await office.ask())
    assert data_of(events, "tool.result")[0]["error"]["code"] == "timed_out"
    assert text_of(events) == "It hangs."


async def test_an_effect_that_times_out_is_undone_and_recorded_as_failed(open_office: OpenOffice):
    desk = Desk(hold=asyncio.Event())
    script = [asks(("change", {"customer": "cus_acme"})), says("It hangs.")]
    office = await open_office(script, desk=desk, tool_timeout=0.05)
    run_id = await office.ask()
    await office.agent.wait(run_id)
    assert await office.effects() == 0
    [effect] = await office.db.effect.find_many(where={"run_id": run_id})
    assert (effect.status.value, effect.error_code) == ("failed", "timed_out")


async def test_asking_for_the_same_again_is_answered_with_a_hint_and_then_ends(open_office: OpenOffice):
    office = await open_office([asks(("look_up", {"name": "ACME"}))] * 9, native_tools=True)
    events = await office.events(await office.ask())
    codes = [data.get("error", {}).get("code") for data in data_of(events, "tool.result")]
    assert codes == [None, "repeated_call", "repeated_call"]
    assert data_of(events, "run.finished")[0]["error"]["code"] == "loop"
    assert office.desk.reads == 1


async def test_looking_again_after_an_effect_is_no_repetition(open_office: OpenOffice):
    look, change = asks(("look_up", {"name": "ACME"})), asks(("change", {"customer": "cus_acme"}))
    office = await open_office([look, change, look, says("Changed.")], native_tools=True)
    events = await office.events(await office.ask())
    assert [data["status"] for data in data_of(events, "tool.result")] == ["succeeded"] * 3


async def test_too_many_calls_at_once_end_the_run(open_office: OpenOffice):
    storm = asks(*(("look_up", {"name": f"customer {number}"}) for number in range(30)))
    office = await open_office([storm], native_tools=True)
    record = await office.agent.wait(await office.ask())
    assert record.error is not None
    assert record.error.code == "call_limit"
    assert office.desk.reads == 0


async def test_a_model_error_ends_the_run_with_its_code_and_what_to_do(open_office: OpenOffice):
    office = await open_office([Step(error=ModelUnavailable("Nobody answers. Start it: ollama serve"))])
    record = await office.agent.wait(await office.ask())
    assert record.error is not None
    assert (record.error.code, record.error.message) == ("model_unavailable", "Nobody answers. Start it: ollama serve")


async def test_a_stream_that_breaks_keeps_what_was_said_and_fails(open_office: OpenOffice):
    office = await open_office([Step(raw=['{"answer": "Half of'], error=StreamBroken("It stopped."))])
    events = await office.events(await office.ask())
    assert text_of(events) == "Half of"
    assert data_of(events, "run.finished")[0]["error"]["code"] == "stream_broken"


async def test_a_malformed_answer_is_asked_for_once_more(open_office: OpenOffice):
    office = await open_office([Step(error=MalformedAnswer("No JSON.")), says("Better.")])
    record = await office.agent.wait(await office.ask())
    assert (record.status, record.answer) == ("succeeded", "Better.")


async def test_an_answer_malformed_twice_fails(open_office: OpenOffice):
    office = await open_office([Step(error=MalformedAnswer("No JSON."))] * 2)
    record = await office.agent.wait(await office.ask())
    assert (record.status, record.error and record.error.code) == ("failed", "malformed_answer")


async def test_a_native_model_that_answers_nothing_is_malformed(open_office: OpenOffice):
    office = await open_office([says("  "), says("Better.")], native_tools=True)
    assert (await office.agent.wait(await office.ask())).answer == "Better."


async def test_a_request_that_is_too_long_is_not_recorded(open_office: OpenOffice):
    office = await open_office([], max_input_chars=10)
    with pytest.raises(InputTooLong, match="11 characters"):
        await office.ask("x" * 11)
    assert await office.db.run.count() == 0
