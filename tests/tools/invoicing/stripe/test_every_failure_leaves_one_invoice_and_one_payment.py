"""Draft, issue, pay, with each request failing in each way: counted at Stripe there is one invoice and one payment.

The calls are made as the ledger of effects makes them: again with the same key while the outcome is unknown, and as a
new call where nothing happened.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.outside_effects import until_known
from tests.support.stripe_server import How, StripeServer
from tools.context import ToolContext
from tools.errors import Unavailable

LINES = [{"product": "WID-1001", "quantity": 3}]  # 96.00 and 18.24 of tax
TOTAL = 11424
CUSTOMER = "cus_globex"
NEW_CALLS = 4

QUICK = [("500", "before"), ("500", "after"), ("drop", "before"), ("drop", "after")]
SLOW = [
    *((how, when) for how in ("502", "503", "504") for when in ("before", "after")),
    *(("garbage", "after"), ("429", "before"), ("hang", "before"), ("hang", "after")),
]

Round = Callable[..., Awaitable["Done"]]


class Done:
    """What one round changed at Stripe, and how many requests it took."""

    def __init__(self, server: StripeServer) -> None:
        self._server = server
        self._before = server.world.effects.copy()
        self._invoices = len(server.world.all("invoice"))
        self.requests = len(server.asked)

    def end(self) -> Done:
        self.requests = len(self._server.asked) - self.requests
        self.effects = self._server.world.effects - self._before
        self.invoices = len(self._server.world.all("invoice")) - self._invoices
        return self


@pytest.fixture
def new_context(ctx: ToolContext) -> Callable[[], ToolContext]:
    count = itertools.count()

    def make() -> ToolContext:
        number = next(count)
        return replace(ctx, call_id=f"c{number}", idempotency_key=f"run:c{number}")

    return make


async def in_the_end(name: str, new_context: Callable[[], ToolContext], **arguments: Any) -> Any:
    """The result of the tool; where nothing happened, a new call is made, as a model would."""
    for _ in range(NEW_CALLS):
        try:
            return await until_known(name, new_context(), **arguments)
        except Unavailable:
            pass
    raise AssertionError(f"{name} was unavailable {NEW_CALLS} times")


@pytest.fixture
def one_round(ctx: ToolContext, server: StripeServer, new_context: Callable[[], ToolContext]) -> Round:
    """Draft, issue and pay for a customer whom Stripe does not know yet; one request of it fails."""

    async def run(amounts: tuple[str | None, ...] = (None,), **fault: Any) -> Done:
        await ctx.db.customer.update(where={"id": CUSTOMER}, data={"external_id": None})
        for customer in server.world.all("customer"):
            customer["email"] = "gone@example.com"
        server.faults.clear()
        server.forget_keys()
        if fault:
            server.fail(**fault)
        done = Done(server)
        draft = await in_the_end("draft_invoice", new_context, customer=CUSTOMER, lines=LINES)
        issued = await in_the_end("issue_invoice", new_context, invoice=draft.id.id)
        paid = [
            await in_the_end("take_payment", new_context, invoice=issued.number.id, amount=amount) for amount in amounts
        ]
        assert (paid[-1].invoice_status, str(paid[-1].outstanding)) == ("paid", "0.00 EUR")
        rows = await ctx.db.payment.find_many(where={"invoice_id": draft.id.id})
        assert sum(row.amount_minor for row in rows if row.status == "succeeded") == TOTAL
        assert all(row.status == "succeeded" and str(row.external_id).startswith("pi_") for row in rows)
        return done.end()

    return run


async def every_position(one_round: Round, how: How, when: str, times: int, **extra: Any) -> None:
    amounts: tuple[str | None, ...] = extra.pop("amounts", (None,))
    for method in ("POST", "GET"):
        for nth in itertools.count(1):
            fault = {"how": how, "when": when, "nth": nth, "times": times, "method": method, **extra}
            done = await one_round(amounts, **fault)
            where = (method, nth, how, when, times)
            assert done.invoices == 1, where
            assert done.effects["invoice.finalized"] == 1, where
            assert done.effects["payment.amount"] == TOTAL, where
            assert done.effects["payment.taken"] == len(amounts), where
            assert done.effects["customer.created"] == 1, where
            if nth > done.requests:
                break


@pytest.mark.parametrize(("how", "when"), QUICK)
async def test_whichever_request_fails_once(how: How, when: str, one_round: Round):
    await every_position(one_round, how, when, times=1)


@pytest.mark.parametrize(("how", "when"), [("500", "after"), ("drop", "after")])
async def test_whichever_request_of_payments_in_parts_fails(how: How, when: str, one_round: Round):
    await every_position(one_round, how, when, times=1, amounts=("50.00 EUR", "64.24 EUR"))


@pytest.mark.service
@pytest.mark.parametrize("amounts", [(None,), ("50.00 EUR", None)])
@pytest.mark.parametrize("times", [1, 3, 4])
@pytest.mark.parametrize(("how", "when"), [*QUICK, *SLOW])
async def test_whichever_request_fails_however_often(
    how: How, when: str, times: int, amounts: tuple[str | None, ...], one_round: Round
):
    extra = {"seconds": 0.6} if how == "hang" else {}
    await every_position(one_round, how, when, times, amounts=amounts, **extra)
