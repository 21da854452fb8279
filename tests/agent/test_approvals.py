"""A person decides: once, about exactly what was shown, and the same run goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agent.errors import (
    AgentError,
    ApprovalDigestMismatch,
    ApprovalExpired,
    ApprovalNotFound,
    ApprovalNotPending,
    Forbidden,
    RunEnded,
    ThreadBusy,
)
from agent.principal import Principal
from tests.agent.conftest import Office, OpenOffice, data_of, principal, types
from tests.support.scripted_model import asks, says
from tools.context import utc_now

PAY = ("pay", {"customer": "cus_acme"})
MAIL = ("mail", {"customer": "cus_acme"})
RACERS = 50


async def decide(office: Office, asked: dict[str, str], decision: str = "approve", **options: object) -> None:
    await office.agent.decide(
        asked["approval_id"],
        decision=decision,  # pyright: ignore[reportArgumentType]
        digest=str(options.get("digest", asked["digest"])),
        reason=str(options["reason"]) if "reason" in options else None,
        principal=options.get("principal", principal("approver")),  # pyright: ignore[reportArgumentType]
    )


async def waiting(office: Office, run_id: str) -> list[dict[str, str]]:
    events = await office.events(run_id)
    assert data_of(events, "run.finished")[-1]["status"] == "waiting"
    return data_of(events, "approval.required")


async def test_a_payment_waits_for_a_person_and_the_same_run_goes_on(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    before = await office.events(run_id)
    assert types(before) == ["run.started", "guard", "approval.required", "run.finished"]
    [asked] = data_of(before, "approval.required")
    assert asked["arguments"] == {"customer": "cus_acme", "note": ""}
    assert asked["origins"]["customer"] == "user"
    assert await office.effects() == 0
    await decide(office, asked)
    after = await office.events(run_id, after=before[-1].sequence)
    assert types(after) == ["tool.call", "tool.result", "token", "message", "run.finished"]
    assert [event.sequence for event in [*before, *after]] == list(range(1, len(before) + len(after) + 1))
    assert await office.effects() == 1
    assert await office.events(run_id) == [*before, *after]
    record = await office.agent.wait(run_id)
    assert (record.status, record.usage.steps) == ("succeeded", 2)


async def test_a_reader_may_follow_from_the_start_through_the_decision(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.", pause=0.01)])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    await decide(office, asked)
    whole = await office.events(run_id)
    assert types(whole).count("run.finished") == 2


async def test_another_process_may_decide_and_go_on(open_office: OpenOffice):
    first = await open_office([asks(PAY)])
    run_id = await first.ask()
    [asked] = await waiting(first, run_id)
    await first.agent.stop()
    second = await open_office([says("Paid.")])
    await decide(second, asked)
    record = await second.agent.wait(run_id)
    assert (record.status, record.answer) == ("succeeded", "Paid.")
    assert await second.effects() == 1


async def test_a_rejection_tells_the_model_why(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("As you wish.")])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    await decide(office, asked, "reject", reason="Wrong customer.")
    events = await office.events(run_id)
    assert data_of(events, "tool.result")[0]["status"] == "rejected"
    assert "Wrong customer." in office.model.conversations[1][-1].content
    assert await office.effects() == 0
    assert (await office.agent.wait(run_id)).status == "succeeded"


async def test_several_approvals_are_decided_one_by_one_and_the_run_goes_on_after_the_last(open_office: OpenOffice):
    office = await open_office([asks(PAY, MAIL), says("Half of it.")])
    run_id = await office.ask()
    asked = await waiting(office, run_id)
    assert len({one["approval_id"] for one in asked}) == 2
    await decide(office, asked[0])
    assert (await office.agent.wait(run_id)).status == "waiting"
    assert await office.effects() == 0
    await decide(office, asked[1], "reject")
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert await office.effects() == 1


async def test_what_needs_nobody_runs_while_the_rest_waits(open_office: OpenOffice):
    office = await open_office([asks(PAY, ("change", {"customer": "cus_acme"})), says("Both.")])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    assert await office.effects() == 1
    await decide(office, asked)
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert await office.effects() == 2


async def test_two_equal_payments_that_are_wanted_are_two_payments(open_office: OpenOffice):
    office = await open_office([asks(PAY, PAY), says("Twice.")], native_tools=True)
    run_id = await office.ask()
    for asked in await waiting(office, run_id):
        await decide(office, asked)
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert await office.effects() == 2


async def test_an_approval_is_used_once(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    await decide(office, asked)
    await office.agent.wait(run_id)
    with pytest.raises(ApprovalNotPending):
        await decide(office, asked)
    assert await office.effects() == 1


async def test_fifty_decisions_at_once_execute_once(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    results = await asyncio.gather(*(decide(office, asked) for _ in range(RACERS)), return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, ApprovalNotPending) for result in results) == RACERS - 1
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert await office.effects() == 1


async def test_approve_against_cancel_has_one_winner(open_office: OpenOffice):
    for _ in range(5):
        office = await open_office([asks(PAY), says("Paid.")])
        run_id = await office.ask()
        [asked] = await waiting(office, run_id)
        before = await office.effects()
        outcomes = await asyncio.gather(
            decide(office, asked), office.agent.cancel(run_id, principal=principal("admin")), return_exceptions=True
        )
        record = await office.agent.wait(run_id)
        executed = await office.effects() - before
        assert all(outcome is None or isinstance(outcome, AgentError) for outcome in outcomes)
        assert record.status in {"succeeded", "cancelled"}
        assert executed == (1 if record.status == "succeeded" else executed)
        if outcomes[0] is not None:
            assert (record.status, executed) == ("cancelled", 0)


async def test_what_was_shown_is_what_runs(open_office: OpenOffice):
    office = await open_office([asks(PAY)])
    [asked] = await waiting(office, await office.ask())
    with pytest.raises(ApprovalDigestMismatch):
        await decide(office, asked, digest="0" * 64)
    assert await office.db.approval.count(where={"status": "pending"}) == 1


async def test_a_changed_row_is_not_an_approval_of_the_planned_call(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("It was not this call.")])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    forged = "f" * 64
    await office.db.approval.update_many(data={"digest": forged}, where={"id": asked["approval_id"]})
    await decide(office, asked, digest=forged)
    events = await office.events(run_id)
    assert data_of(events, "tool.result")[0]["status"] == "rejected"
    assert await office.effects() == 0


async def test_an_approval_expires_and_the_run_goes_on_without_the_call(open_office: OpenOffice):
    now = utc_now()
    office = await open_office([asks(PAY), says("Too late.")], clock=lambda: now, approval_hours=1)
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    now += timedelta(hours=2)
    with pytest.raises(ApprovalExpired):
        await decide(office, asked)
    record = await office.agent.wait(run_id)
    assert (record.status, record.answer) == ("succeeded", "Too late.")
    assert await office.effects() == 0


async def test_overdue_approvals_expire_although_nobody_looks(open_office: OpenOffice):
    now = utc_now()
    office = await open_office([asks(PAY), says("Too late.")], clock=lambda: now, approval_hours=1)
    run_id = await office.ask()
    await waiting(office, run_id)
    await office.agent.expire_overdue()
    assert (await office.agent.wait(run_id)).status == "waiting"
    now += timedelta(hours=2)
    await office.agent.expire_overdue()
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert await office.effects() == 0


async def test_only_those_who_may_decide_do(open_office: OpenOffice):
    office = await open_office([asks(PAY)])
    [asked] = await waiting(office, await office.ask(principal=principal("clerk")))
    for nobody in (principal("clerk"), principal("viewer")):
        with pytest.raises(Forbidden):
            await decide(office, asked, principal=nobody)
    with pytest.raises(ApprovalNotFound):
        await decide(office, asked, principal=Principal("another", None, frozenset({"admin"})))
    assert await office.effects() == 0


async def test_a_thread_whose_run_waits_is_busy_until_it_is_cancelled(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Hello.")])
    run_id = await office.ask()
    [asked] = await waiting(office, run_id)
    with pytest.raises(ThreadBusy):
        await office.ask("Something else.")
    await office.agent.cancel(run_id, principal=principal("admin"))
    with pytest.raises(ApprovalNotPending):
        await decide(office, asked)
    with pytest.raises(RunEnded):
        await office.agent.cancel(run_id, principal=principal("admin"))
    events = await office.events(run_id)
    assert data_of(events, "run.finished")[-1]["status"] == "cancelled"
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert (await office.agent.wait(await office.ask("Something else."))).answer == "Hello."
    assert await office.effects() == 0


async def test_a_decision_before_the_run_rests_lets_it_go_on(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    async for event in office.agent.events(run_id):
        if event.type == "approval.required":
            await decide(office, data_of([event], "approval.required")[0])
            break
    record = await office.agent.wait(run_id)
    while record.status != "succeeded":
        record = await office.agent.wait(run_id)
    assert await office.effects() == 1


async def test_two_decisions_at_once_let_the_run_go_on_once(open_office: OpenOffice):
    office = await open_office([asks(PAY, MAIL), says("Both.")])
    run_id = await office.ask()
    asked = await waiting(office, run_id)
    await asyncio.gather(*(decide(office, one) for one in asked))
    record = await office.agent.wait(run_id)
    assert (record.status, record.usage.steps) == ("succeeded", 2)
    assert await office.effects() == 2
