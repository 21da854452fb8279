"""Every verdict and decision is in the audit: once, without a value of an argument, and without slowing the run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from agent import audit as audits
from agent.audit import Audit, shown_origins
from tests.agent.conftest import Office, OpenOffice, data_of, principal
from tests.support.policies import rules
from tests.support.scripted_model import asks, says
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma

SECRET = "the-secret-note-4711"
PAY = ("pay", {"customer": "cus_acme", "note": SECRET})


async def entries(office: Office) -> list[Any]:
    """Everything noted, oldest first, once it is written."""
    await office.agent.stop(grace=5.0)
    return await office.db.auditentry.find_many(order=[{"at": "asc"}, {"id": "asc"}])


async def test_a_payment_leaves_each_verdict_and_the_persons_word(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    [asked] = data_of(await office.events(run_id), "approval.required")
    await office.agent.decide(
        asked["approval_id"], decision="approve", digest=asked["digest"], reason="seen", principal=principal("approver")
    )
    await office.events(run_id, after=4)
    noted = await entries(office)
    call = f"{run_id}:call_1_1"
    assert {(entry.action, entry.subject, entry.verdict) for entry in noted} == {
        ("guard.input", run_id, "allow"),
        ("policy", call, "ask"),
        ("approval.decide", call, "approved"),
        ("guard.output", run_id, "allow"),
    } | {("policy", call, "ask")}
    at_the_door = [entry.details for entry in noted if entry.action == "policy"]
    assert [details["at"] for details in at_the_door] == ["plan", "door"]
    assert at_the_door[0]["rule"] == "role_may_use_tool"
    assert at_the_door[0]["origins"] == {"customer": "user", "note": "model"}
    assert SECRET not in str([entry.details for entry in noted])
    assert {entry.actor for entry in noted} == {"local"}


async def test_a_refusal_tells_its_rule_and_reason(open_office: OpenOffice):
    in_force = rules("- {name: no_payments, tools: [pay], when: {note: {present: true}}, verdict: refuse, reason: No.}")
    office = await open_office([asks(PAY), says("I may not.")], policy=in_force)
    await office.events(await office.ask())
    [refused] = [entry for entry in await entries(office) if entry.verdict == "refuse"]
    assert (refused.details["rule"], refused.details["reason"]) == ("no_payments", "No.")


async def test_a_guard_that_refuses_is_noted(open_office: OpenOffice):
    office = await open_office([])
    await office.events(await office.ask("   "))
    [refused] = [entry for entry in await entries(office) if entry.action == "guard"]
    assert (refused.verdict, refused.details["rule"]) == ("refuse", "request_says_something")


async def test_the_same_verdict_is_noted_once(database: Prisma):
    audit = Audit(database, utc_now)
    for _ in range(2):  # as when a run is gone through again after a crash
        audit.record(principal("clerk"), "policy", "run:call", "allow", {"rule": "a"})
        await audit.flush()
    audit.record(principal("clerk"), "policy", "run:call", "refuse", {"rule": "b"})
    await audit.stop()
    assert await database.auditentry.count() == 2


async def test_what_is_noted_is_written_in_the_background_and_at_the_end(database: Prisma):
    audit = Audit(database, utc_now)
    audit.start()
    audit.record(principal("clerk"), "policy", "first", "allow", {})
    async with asyncio.timeout(10):
        while not await database.auditentry.count():  # noqa: ASYNC110  there is no event: the writer is its own
            await asyncio.sleep(0.01)
    for number in range(250):
        audit.record(principal("clerk"), "policy", f"more_{number}", "allow", {})
    await audit.stop()
    assert await database.auditentry.count() == 251


async def test_what_cannot_be_written_is_in_the_log(database: Prisma, caplog: pytest.LogCaptureFixture):
    audit = Audit(database, utc_now)
    audit.record(principal("clerk", tenant="nobody"), "policy", "run:call", "refuse", {"rule": "a"})
    with caplog.at_level(logging.ERROR):
        await audit.stop()
    [lost] = [record for record in caplog.records if record.message == "audit_entry_not_written"]
    assert lost.__dict__["entry"]["subject"] == "run:call"


async def test_one_that_cannot_be_written_does_not_cost_the_others(database: Prisma):
    audit = Audit(database, utc_now)
    audit.record(principal("clerk", tenant="nobody"), "policy", "lost", "refuse", {})
    audit.record(principal("clerk"), "policy", "kept", "refuse", {})
    await audit.stop()
    assert [entry.subject for entry in await database.auditentry.find_many()] == ["kept"]


async def test_more_than_memory_holds_goes_to_the_log(
    database: Prisma, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audits, "MAX_WAITING", 1)
    audit = Audit(database, utc_now)
    for number in range(2):
        audit.record(principal("clerk"), "policy", f"run:{number}", "allow", {})
    assert [record.message for record in caplog.records] == ["audit_entry_not_written"]
    await audit.stop()


def test_an_address_is_shown_without_what_may_be_a_secret_in_it():
    shown = shown_origins({"url": "web(https://ann:pw@a.example/x?token=4711#y)", "to": "record(customer.email)"})
    assert shown == {"url": "web(https://a.example/x)", "to": "record(customer.email)"}
