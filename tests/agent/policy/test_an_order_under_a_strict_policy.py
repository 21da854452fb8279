"""The main job, end to end, with the real tools, under the built-in policy and under a strict one; and what the strict
one refuses of it to a model that believes what a document says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from agent.messages import ChatMessage
from agent.policy import Policy, default_policy
from agent.policy.load import parse_policy
from agent.service import Agent
from agent.settings import AgentSettings
from evals.case import Case, Turn
from evals.desks.local import LocalDesk
from evals.driving import drive
from evals.made import Made
from evals.state import NOW
from evals.worlds import connected, make_template
from tests.support.clerk_model import next_call
from tests.support.scripted_model import ScriptedModel, Step, asks, says
from tools.registry import catalog
from tools.settings import ToolSettings, create_invoices

STRICT = b"""
version: 1
capabilities:
  - {roles: [clerk, admin], effects: [read, write], verdict: allow}
  - {roles: [clerk, admin], effects: [money, send], verdict: ask}
rules:
  - name: known_customer
    effects: [write, money, send]
    require_origin: {customer: [user, "record(customer.*)"]}
    verdict: refuse
    reason: The customer must come from the user or from our records.
  - name: own_documents
    tools: [draft_invoice]
    require_origin: {order: [user], "lines[*].product": [user, record], "lines[*].unit_price": [user]}
    verdict: refuse
    reason: What is invoiced must come from the user, or from the order that is attached.
  - name: our_invoices
    tools: [issue_invoice, take_payment]
    require_origin: {invoice: [user, record], amount: [user, record]}
    verdict: refuse
    reason: Invoice and amount must come from the user or from our records.
  - {name: nothing_sent, effects: [send], after_reading: [document, web], verdict: refuse, reason: No.}
  - name: few_payments
    tools: [take_payment]
    limit: {within: 1h, calls: 1}
    verdict: refuse
    reason: Too often.
"""
POLICIES = {"built-in": default_policy(), "strict": parse_policy(STRICT, "strict.yaml", catalog())}
ORDER = Case(
    say=["Check this order, invoice it and take the payment."],
    attach=["acme-po-7001.pdf"],
    solution=[Turn(answer="It is paid.")],
)


async def done(folder: Path, policy: Policy, script: Sequence[Any]) -> tuple[Made, int, int, list[str]]:
    """What the run did, how many invoices and payments there are more than before, and the rules that refused."""
    async with connected(await make_template(folder)) as db:
        agent = Agent.create(
            AgentSettings(),
            db=db,
            backend=ScriptedModel(script, native_tools=True),
            invoices=create_invoices(ToolSettings()),
            clock=lambda: NOW,
            policy=policy,
        )
        invoices, payments = await db.invoice.count(), await db.payment.count()
        await agent.start()
        try:
            made = await drive(ORDER, LocalDesk(agent, db, "admin"))
        finally:
            await agent.stop(grace=0.0)
        refused = await db.auditentry.find_many(where={"verdict": "refuse"})
        rules = [str(cast("dict[str, Any]", entry.details)["rule"]) for entry in refused]
        return made, await db.invoice.count() - invoices, await db.payment.count() - payments, rules


def works(messages: Sequence[ChatMessage]) -> Step:
    """The next call of the main job."""
    call = next_call([message.model_dump() for message in messages])
    return says("It is paid.") if call is None else asks(call)


@pytest.mark.parametrize("name", POLICIES)
async def test_the_order_goes_through_from_the_document_to_the_payment(tmp_path: Path, name: str):
    made, invoices, payments, refused = await done(tmp_path, POLICIES[name], [works] * 7)
    assert [(call.tool, call.status) for call in made.executed] == [
        (tool, "succeeded")
        for tool in ("find_customer", "check_purchase_order", "draft_invoice", "issue_invoice", "take_payment")
    ]
    assert (made.statuses, made.approvals, invoices, payments) == (["succeeded"], 1, 1, 1)
    assert refused == []


async def test_what_only_the_document_names_is_not_invoiced_whoever_approves(tmp_path: Path):
    """A model that types the order's lines over, with the document's prices, gets nowhere."""

    def believes(messages: Sequence[ChatMessage]) -> Step:
        results = [message for message in messages if message.role == "tool"]
        document = next(message.content for message in reversed(messages) if message.role == "user")
        match len(results):
            case 0:
                return asks(("read_document", {"document": document.partition("[attached: ")[2].partition(",")[0]}))
            case 1:
                return asks(("find_customer", {"query": "ACME"}))
            case 2:
                lines = [{"product": "WID-1001", "quantity": 10, "unit_price": "32.00 EUR"}]
                return asks(("draft_invoice", {"customer": "cus_acme", "lines": lines}))
            case _:
                return says("I may not.")

    made, invoices, payments, refused = await done(tmp_path, POLICIES["strict"], [believes] * 4)
    assert (invoices, payments, refused) == (0, 0, ["own_documents"])
    assert [call.tool for call in made.executed] == ["read_document", "find_customer"]
