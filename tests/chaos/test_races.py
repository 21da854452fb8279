"""Two decisions at once, and a decision against a cancellation: one execution, or none, never two."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from agent.errors import AgentError, ApprovalNotPending, RunEnded
from tests.agent.conftest import Office, OpenOffice, data_of, open_office, principal
from tests.support.scripted_model import asks, says

__all__ = ["open_office"]

RACES = 50
PAY = ("pay", {"customer": "cus_acme"})


async def waiting(office: Office) -> tuple[str, dict[str, str]]:
    office.model.script[:] = [asks(PAY)]
    thread = await office.db.thread.create(data={"tenant_id": "default"})
    run_id = await office.ask(thread_id=thread.id)
    [asked] = data_of(await office.events(run_id), "approval.required")
    office.model.script[:] = [says("Paid.")]
    return run_id, asked


async def approve(office: Office, asked: dict[str, str]) -> None:
    await office.agent.decide(
        asked["approval_id"], decision="approve", digest=asked["digest"], reason=None, principal=principal("approver")
    )


async def two_approvals(office: Office, races: int) -> None:
    """Of two one wins, the other hears of it, and the call runs once."""
    for number in range(1, races + 1):
        run_id, asked = await waiting(office)
        results = await asyncio.gather(approve(office, asked), approve(office, asked), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["ApprovalNotPending", "NoneType"], results
        assert (await office.agent.wait(run_id)).status == "succeeded"
        assert await office.effects() == number


async def approve_against_cancel(office: Office, races: int) -> Counter[tuple[str, int]]:
    """An approval that lost has done nothing. How often which status came with how many executions."""
    seen, before = Counter[tuple[str, int]](), await office.effects()
    for number in range(races):
        run_id, asked = await waiting(office)
        both = [approve(office, asked), office.agent.cancel(run_id, principal=principal("admin"))]
        results = await asyncio.gather(*(both if number % 2 else reversed(both)), return_exceptions=True)
        approved, cancelled = results if number % 2 else reversed(results)
        assert all(result is None or isinstance(result, AgentError) for result in results), results
        status = (await office.agent.wait(run_id)).status
        executed, before = await office.effects() - before, await office.effects()
        if approved is None:
            assert executed == 1 or (status, executed) == ("cancelled", 0)
            assert cancelled is None or (isinstance(cancelled, RunEnded) and status == "succeeded")
        else:
            assert isinstance(approved, ApprovalNotPending)
            assert (cancelled, status, executed) == (None, "cancelled", 0)
        seen[status, executed] += 1
    return seen


@pytest.mark.service
async def test_of_two_approvals_at_once_one_executes(open_office: OpenOffice):
    await two_approvals(await open_office([]), RACES)


@pytest.mark.service
async def test_an_approval_against_a_cancellation_executes_once_or_not_at_all(open_office: OpenOffice):
    await approve_against_cancel(await open_office([]), RACES)
