"""After a cancellation was confirmed no tool starts, whoever works on the run, and whenever the word comes."""

from __future__ import annotations

import asyncio

import pytest

from agent import caretaker, service
from agent.errors import NotReady
from tests.agent.conftest import Office, OpenOffice, data_of, principal
from tests.support.scripted_model import asks, says

PAY = ("pay", {"customer": "cus_acme"})


async def approved_elsewhere(office: Office, run_id: str) -> None:
    """A decision is recorded, and its process has not begun to work yet."""
    [asked] = data_of(await office.events(run_id), "approval.required")
    decided = await office.agent._approvals.decide(  # pyright: ignore[reportPrivateUsage]
        asked["approval_id"],
        approve=True,
        digest=asked["digest"],
        reason=None,
        principal=principal("admin"),
        owner_id=office.agent.replica_id,
    )
    assert decided.goes_on


async def test_a_run_that_begins_while_it_is_cancelled_does_nothing_more(open_office: OpenOffice):
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    await approved_elsewhere(office, run_id)
    cancelling = asyncio.create_task(office.agent.cancel(run_id, principal=principal("admin")))
    while not await office.db.run.count(where={"id": run_id, "cancel_requested_at": {"not": None}}):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    await office.agent._runner.go_on(run_id)  # pyright: ignore[reportPrivateUsage]
    await cancelling
    assert (await office.agent.wait(run_id)).status == "cancelled"
    assert await office.effects() == 0


async def test_what_nobody_confirms_is_not_said_to_be_cancelled(
    open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "CANCEL_PATIENCE", 0.2)
    office = await open_office([asks(PAY), says("Paid.")])
    run_id = await office.ask()
    await approved_elsewhere(office, run_id)
    with pytest.raises(NotReady, match="recorded"):
        await office.agent.cancel(run_id, principal=principal("admin"))
    await office.agent._runner.go_on(run_id)  # pyright: ignore[reportPrivateUsage]
    assert (await office.agent.wait(run_id)).status == "cancelled"


async def test_a_cancellation_that_comes_elsewhere_just_before_a_run_waits_is_heeded(
    open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caretaker, "CANCEL_INTERVAL", 0.01)
    other = await open_office([])
    monkeypatch.setattr(caretaker, "CANCEL_INTERVAL", 1_000.0)  # nobody tells it: it must look by itself
    office = await open_office([asks(PAY, pause=0.05)])
    run_id = await office.ask()
    await office.model.started.wait()
    monkeypatch.setattr(caretaker, "CANCEL_INTERVAL", 0.01)
    await other.agent.cancel(run_id, principal=principal("admin"))
    assert (await office.agent.wait(run_id)).status == "cancelled"
    assert await office.effects() == 0
