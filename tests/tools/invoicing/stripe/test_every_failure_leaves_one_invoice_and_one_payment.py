"""Draft, issue, pay, with each request failing in each way: counted at Stripe there is one invoice and one payment.

The calls are made as the ledger of effects makes them: again with the same key while the outcome is unknown, and as a
new call where nothing happened.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from tests.support.outside_effects import until_known
from tests.support.stripe_rounds import CUSTOMER, LINES, NewContext, Rounds
from tests.support.stripe_server import How, StripeServer
from tests.support.tool_calls import call
from tools.context import ToolContext
from tools.errors import Conflict, OutcomeUnknown, ToolError, Unavailable
from tools.invoicing.stripe.client import ATTEMPTS

QUICK = [("500", "before"), ("500", "after"), ("drop", "before"), ("drop", "after")]
SLOW = [
    *((how, when) for how in ("502", "503", "504") for when in ("before", "after")),
    *(("garbage", "after"), ("429", "before"), ("hang", "before"), ("hang", "after")),
]
PARTS = ("50.00 EUR", "64.24 EUR")


@pytest.mark.parametrize(("how", "when"), QUICK)
async def test_whichever_request_fails_once(how: How, when: str, rounds: Rounds):
    await rounds.every_position(how, when, times=1)


@pytest.mark.parametrize(("how", "when"), [("500", "after"), ("drop", "after")])
async def test_whichever_request_of_payments_in_parts_fails(how: How, when: str, rounds: Rounds):
    await rounds.every_position(how, when, times=1, amounts=PARTS)


@pytest.mark.service
@pytest.mark.parametrize(("how", "when"), [*QUICK, *SLOW])
async def test_whichever_request_fails_until_the_call_gives_up(how: How, when: str, rounds: Rounds):
    await rounds.every_position(how, when, times=ATTEMPTS)


@pytest.mark.service
@pytest.mark.parametrize(("how", "when"), [*QUICK, ("hang", "after")])
async def test_whichever_request_of_a_part_and_the_rest_fails_until_the_call_gives_up(
    how: How, when: str, rounds: Rounds
):
    await rounds.every_position(how, when, times=ATTEMPTS, amounts=("50.00 EUR", None))


@pytest.mark.service
@pytest.mark.parametrize(("how", "when"), SLOW)
async def test_whichever_request_fails_once_in_a_slow_way(how: How, when: str, rounds: Rounds):
    await rounds.every_position(how, when, times=1)


async def outcome(name: str, context: ToolContext, **arguments: Any) -> object:
    """The result of the call, or what it raised."""
    try:
        return await call(name, context, **arguments)
    except ToolError as error:
        return error


@pytest.mark.parametrize(("how", "when"), [("500", "before"), ("500", "after"), ("drop", "before"), ("drop", "after")])
async def test_a_day_later_it_is_only_looked_up(
    how: How, when: str, ctx: ToolContext, server: StripeServer, new_context: NewContext
):
    """Whatever the look-up says is so: a result is at Stripe, a failure is not, and nothing is asked for any more."""
    steps = ("draft_invoice", "issue_invoice", "take_payment")
    for step, nth in itertools.product(steps, range(1, 6)):
        arguments: dict[str, Any] = {"customer": CUSTOMER, "lines": LINES}
        server.faults.clear()
        for before in steps[: steps.index(step)]:
            found = await call(before, new_context(), **arguments)
            arguments = {"invoice": found.id.id}
        server.forget_keys()
        server.fail(how, when=when, nth=nth, times=100)
        context, effects = new_context(), server.world.effects.copy()
        if not isinstance(await outcome(step, context, **arguments), OutcomeUnknown):
            continue  # it is over: it did all, or nothing
        server.faults.clear()
        server.forget_keys()
        posts = len(server.posts)
        mark = {"draft_invoice": "invoice.created", "issue_invoice": "invoice.finalized"}.get(step, "payment.taken")
        took_place = (server.world.effects - effects)[mark] > 0
        looked_up = await outcome(step, replace(context, attempt="look_up"), **arguments)
        if isinstance(looked_up, OutcomeUnknown):
            assert step == "draft_invoice"
            assert "A part of the draft is at Stripe" in looked_up.message
        else:
            assert took_place is not isinstance(looked_up, ToolError), (step, nth)
        assert len(server.posts) == posts


async def test_a_look_up_that_gets_no_answer_stays_unknown(server: StripeServer, new_context: NewContext):
    context = new_context()
    server.fail("drop", when="after", path="/v1/invoices$", times=100)
    server.fail("503", method="GET", path="/v1/invoices$", times=100)
    with pytest.raises(OutcomeUnknown):
        await call("draft_invoice", context, customer=CUSTOMER, lines=LINES)
    with pytest.raises(OutcomeUnknown):
        await call("draft_invoice", replace(context, attempt="look_up"), customer=CUSTOMER, lines=LINES)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("draft_invoice", {"customer": CUSTOMER, "lines": LINES}), ("take_payment", {"invoice": "INV-2026-0006"})],
)
async def test_a_call_that_ended_before_it_claimed_anything_did_nothing(
    tool: str, arguments: dict[str, Any], server: StripeServer, new_context: NewContext
):
    with pytest.raises(Unavailable, match="Nothing was"):
        await call(tool, replace(new_context(), attempt="look_up"), **arguments)
    assert server.asked == []


async def test_stripe_that_cannot_be_reached_did_nothing_and_the_order_is_free(
    ctx: ToolContext, server: StripeServer, new_context: NewContext
):
    await server.http.stop()
    rows = await ctx.db.invoice.count()
    with pytest.raises(Unavailable, match="nothing was done"):
        await call("draft_invoice", new_context(), customer=CUSTOMER, lines=LINES)
    assert await ctx.db.invoice.count() == rows


async def test_two_payments_of_one_invoice_at_once_take_the_money_once(server: StripeServer, new_context: NewContext):
    draft = await call("draft_invoice", new_context(), customer=CUSTOMER, lines=LINES)
    await call("issue_invoice", new_context(), invoice=draft.id.id)
    results = await asyncio.gather(
        *(call("take_payment", new_context(), invoice=draft.id.id) for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 5
    assert server.world.effects["payment.taken"] == 1


async def test_two_calls_for_a_new_customer_at_once_make_one(server: StripeServer, new_context: NewContext):
    await asyncio.gather(*(until_known("draft_invoice", new_context(), customer=CUSTOMER, lines=LINES) for _ in "ab"))
    assert server.world.effects["customer.created"] == 1
    assert server.world.effects["invoice.created"] == 2
