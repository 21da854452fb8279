"""Roles limit what a run may do, whatever its model asks for: when it begins, and again when it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from agent.principal import Principal, Role
from tests.agent.conftest import Office, OpenOffice, data_of
from tests.support.people import person
from tests.support.scripted_model import asks, says

WRITES = [("change", {"customer": "cus_acme"}), ("pay", {"customer": "cus_acme"})]


async def ask(office: Office, who: Principal) -> str:
    thread = await office.db.thread.create(data={"tenant_id": who.tenant_id, "user_id": who.user_id})
    run_id = await office.ask(thread_id=thread.id, principal=who)
    await office.agent.wait(run_id)
    return run_id


@pytest.mark.parametrize("role", ["viewer", "approver"])
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("call", WRITES)
async def test_the_agent_of_who_only_reads_cannot_write(
    open_office: OpenOffice, role: Role, native: bool, call: tuple[str, dict[str, Any]]
):
    """The model is gullible: it asks for the effect, and again when it was told that there is no such tool."""
    office = await open_office([asks(call), asks(call), says("I could not.")], native_tools=native)
    run_id = await ask(office, await person(office.db, "reader", role))
    assert (await office.effects(), await office.db.effect.count(), await office.db.approval.count()) == (0, 0, 0)
    results = data_of(await office.events(run_id), "tool.result")
    assert results
    assert {result["status"] for result in results} == {"failed"}


async def waiting(office: Office) -> tuple[str, dict[str, Any], str]:
    """A clerk's payment that waits: the run, the question, and the clerk's id."""
    clerk = await person(office.db, "carl", "clerk")
    run_id = await ask(office, clerk)
    [asked] = data_of(await office.events(run_id), "approval.required")
    return run_id, asked, str(clerk.user_id)


async def approve(office: Office, asked: dict[str, Any]) -> None:
    approver = await person(office.db, "anna", "approver")
    await office.agent.decide(
        asked["approval_id"], decision="approve", digest=asked["digest"], reason=None, principal=approver
    )


async def test_a_role_taken_away_while_a_run_waits_counts_when_it_goes_on(open_office: OpenOffice):
    office = await open_office([asks(WRITES[1]), says("It was refused.")])
    run_id, asked, clerk = await waiting(office)
    await office.db.userrole.delete_many(where={"user_id": clerk})
    await office.db.userrole.create(data={"user_id": clerk, "role": "viewer"})  # a new one does not make up for it
    await office.db.userrole.create(data={"user_id": clerk, "role": "approver"})
    await approve(office, asked)
    run = await office.agent.wait(run_id)
    assert (run.status, run.error.code if run.error else None) == ("failed", "not_allowed")
    assert await office.effects() == 0


async def test_with_the_roles_that_are_left_it_goes_on_without_the_payment(open_office: OpenOffice):
    office = await open_office([asks(WRITES[1]), says("It was refused.")])
    both = await person(office.db, "both", "viewer", "clerk")
    run_id = await ask(office, both)
    [asked] = data_of(await office.events(run_id), "approval.required")
    await office.db.userrole.delete_many(where={"user_id": str(both.user_id), "role": "clerk"})
    await approve(office, asked)
    assert (await office.agent.wait(run_id)).status == "succeeded"
    assert data_of(await office.events(run_id), "tool.result")[-1]["status"] == "refused"
    assert await office.effects() == 0


async def test_the_run_of_a_user_who_was_disabled_meanwhile_does_nothing_more(open_office: OpenOffice):
    office = await open_office([asks(WRITES[1]), says("Never said.")])
    run_id, asked, clerk = await waiting(office)
    await office.db.user.update(data={"disabled_at": office.agent._services.clock()}, where={"id": clerk})  # pyright: ignore[reportPrivateUsage]
    await approve(office, asked)
    run = await office.agent.wait(run_id)
    assert run.error is not None
    assert run.error.code == "not_allowed"
    assert await office.effects() == 0


async def test_a_queued_run_begins_with_the_roles_that_are_left(open_office: OpenOffice):
    office = await open_office([says("one", pause=0.1), asks(WRITES[0]), says("two")], max_running=1)
    first = await office.ask()
    clerk = await person(office.db, "carl", "clerk")
    thread = await office.db.thread.create(data={"tenant_id": "default", "user_id": clerk.user_id})
    queued = await office.ask(thread_id=thread.id, principal=clerk)
    await office.db.userrole.delete_many(where={"user_id": str(clerk.user_id)})
    await office.agent.wait(first)
    run = await office.agent.wait(queued)
    assert run.error is not None
    assert run.error.code == "not_allowed"
    assert await office.effects() == 0
