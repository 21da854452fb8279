"""Effects whose outcome nobody knows: a person settles each once, and who said so is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.effects import Effects
from agent.errors import EffectNotFound, EffectSettled, Forbidden
from agent.ledger import Ledger
from tests.agent.conftest import principal
from tests.agent.test_ledger import TOOL, ledger, planned, take_effect
from tools.context import utc_now
from tools.errors import Conflict, OutcomeUnknown
from tools.system import NEVER, Attempt

if TYPE_CHECKING:
    from prisma.client.models import Effect

__all__ = ["ledger"]

APPROVER = principal("approver")


class Outside:
    """A system that knows nothing of idempotency keys."""

    name, local, repeatable_for = "provider", False, NEVER


async def unknown(ledger: Ledger) -> Effect:
    """An effect of which nobody knows whether it took place."""

    async def vanish(_: object, attempt: Attempt) -> object:
        raise OutcomeUnknown("The provider went away.")

    with pytest.raises(OutcomeUnknown, match=r"went away.*a person must look"):
        await ledger.execute(TOOL, planned(), vanish, system=Outside())  # pyright: ignore[reportArgumentType]
    [row] = await ledger.db.effect.find_many()
    assert row.status == "needs_reconcile"
    return row


@pytest.mark.parametrize(("outcome", "status"), [("executed", "executed"), ("not_executed", "failed")])
async def test_a_person_says_what_became_of_it_and_it_is_kept_who_did(ledger: Ledger, outcome: str, status: str):
    row = await unknown(ledger)
    effects = Effects(ledger.db, utc_now)
    settled = await effects.settle(row.id, outcome=outcome, note="Looked.", principal=APPROVER)  # pyright: ignore[reportArgumentType]
    assert (settled.status.value, settled.settled_by) == (status, "local")
    [entry] = await ledger.db.auditentry.find_many()
    assert (entry.action, entry.subject, entry.verdict) == ("effect.settle", row.id, outcome)
    assert entry.details == {"run_id": row.run_id, "call_id": row.call_id, "tool": row.tool, "note": "Looked."}


async def test_of_twenty_people_at_once_one_settles_it(ledger: Ledger):
    row = await unknown(ledger)
    effects = Effects(ledger.db, utc_now)
    said = [
        effects.settle(row.id, outcome="executed" if number % 2 else "not_executed", note="", principal=APPROVER)
        for number in range(20)
    ]
    results = await asyncio.gather(*said, return_exceptions=True)
    assert sum(isinstance(result, EffectSettled) for result in results) == 19
    assert await ledger.db.auditentry.count() == 1


async def test_a_settled_call_is_not_executed_again(ledger: Ledger):
    row = await unknown(ledger)
    await Effects(ledger.db, utc_now).settle(row.id, outcome="executed", note="", principal=APPROVER)
    with pytest.raises(Conflict, match="took effect"):
        await ledger.execute(TOOL, planned(), take_effect, system=Outside())
    assert await ledger.db.tag.count() == 0


async def test_only_those_who_decide_in_the_same_company_settle(ledger: Ledger):
    row = await unknown(ledger)
    effects = Effects(ledger.db, utc_now)
    with pytest.raises(Forbidden):
        await effects.settle(row.id, outcome="executed", note="", principal=principal("clerk"))
    with pytest.raises(EffectNotFound):
        await effects.settle(row.id, outcome="executed", note="", principal=principal("admin", tenant="other"))
    assert await ledger.db.effect.count(where={"status": "needs_reconcile"}) == 1


async def test_an_effect_that_is_known_needs_nobody(ledger: Ledger):
    await ledger.execute(TOOL, planned(), take_effect)
    [row] = await ledger.db.effect.find_many()
    with pytest.raises(EffectSettled, match="executed"):
        await Effects(ledger.db, utc_now).settle(row.id, outcome="not_executed", note="", principal=APPROVER)
