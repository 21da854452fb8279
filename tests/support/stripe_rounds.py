"""Rounds of draft, issue and pay at Stripe in which a request fails, and what they left there."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.outside_effects import until_known
from tests.support.stripe_server import How, StripeServer
from tools.context import ToolContext
from tools.errors import Unavailable

CUSTOMER = "cus_globex"
LINES = [{"product": "WID-1001", "quantity": 3}]  # 96.00 and 18.24 of tax
TOTAL = 11424
NEW_CALLS = 4
PAUSE = 0.2  # seconds between two of them

NewContext = Callable[[], ToolContext]


async def in_the_end(name: str, new_context: NewContext, **arguments: Any) -> Any:
    """The result of the tool; where nothing happened, a new call is made, as a model would."""
    for _ in range(NEW_CALLS):
        try:
            return await until_known(name, new_context(), **arguments)
        except Unavailable:
            await asyncio.sleep(PAUSE)
    raise AssertionError(f"{name} was unavailable {NEW_CALLS} times")


class Rounds:
    """Each round is for a customer whom Stripe does not know yet."""

    def __init__(self, server: StripeServer, new_context: NewContext) -> None:
        self._server = server
        self._new_context = new_context

    async def every_position(
        self, how: How, when: str, *, times: int, amounts: Sequence[str | None] = (None,), seconds: float = 0.6
    ) -> None:
        """A round for each request of it that can fail, and one more in which none does."""
        for method in ("POST", "GET"):
            for nth in itertools.count(1):
                self._forget()
                self._server.fail(how, when=when, nth=nth, times=times, method=method, seconds=seconds)
                requests = await self._round(amounts, where=(method, nth, how, when, times))
                if nth > requests:
                    break

    def _forget(self) -> None:
        self._server.faults.clear()
        self._server.forget_keys()
        for customer in self._server.world.all("customer"):
            customer["email"] = "gone@example.com"

    async def _round(self, amounts: Sequence[str | None], *, where: object) -> int:
        """How many requests it took."""
        before, requests = self._server.world.effects.copy(), len(self._server.asked)
        invoices = len(self._server.world.all("invoice"))
        db = self._new_context().db
        await db.customer.update(where={"id": CUSTOMER}, data={"external_id": None})
        draft = await in_the_end("draft_invoice", self._new_context, customer=CUSTOMER, lines=LINES)
        number = (await in_the_end("issue_invoice", self._new_context, invoice=draft.id.id)).number.id
        paid = [await in_the_end("take_payment", self._new_context, invoice=number, amount=one) for one in amounts]
        assert (paid[-1].invoice_status, str(paid[-1].outstanding)) == ("paid", "0.00 EUR"), where
        rows = await db.payment.find_many(where={"invoice_id": draft.id.id})
        assert all(row.status == "succeeded" and str(row.external_id).startswith("pi_") for row in rows), where
        assert sum(row.amount_minor for row in rows) == TOTAL, where
        assert len(self._server.world.all("invoice")) == invoices + 1, where
        self._check(self._server.world.effects - before, payments=len(amounts), where=where)
        return len(self._server.asked) - requests

    def _check(self, effects: Counter[str], *, payments: int, where: object) -> None:
        assert effects["customer.created"] == 1, where
        assert effects["invoice.finalized"] == 1, where
        assert effects["payment.amount"] == TOTAL, where
        assert effects["payment.taken"] == payments, where
