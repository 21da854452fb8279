"""Paying all that is outstanding: Stripe charges the customer's payment method and makes the invoice paid, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import Conflict, Unavailable
from tools.invoicing.stripe.amounts import to_stripe
from tools.invoicing.stripe.client import Json, StripeClient, data_of, inner
from tools.invoicing.stripe.effect import Effect
from tools.invoicing.stripe.errors import Refused
from tools.invoicing.stripe.intents import Taken, taken_by
from tools.invoicing.stripe.mirror import id_at_stripe, write_invoice
from tools.money import Money

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext

_EXPAND = ["payments.data.payment.payment_intent"]


async def pay_whole(
    effect: Effect, ctx: ToolContext, invoice: models.InvoiceWithRelations, row: models.Payment
) -> Taken:
    """Pay it, or find it paid by an earlier attempt: our claim keeps our other calls from it meanwhile.

    Raises:
        ToolError, StripeError: It was not paid, or nobody knows.
    """
    client, external_id = effect.client, id_at_stripe(invoice)

    async def paid() -> Json | None:
        seen = await _look(client, external_id)
        return seen if _taken(seen) else None

    seen = await _look(client, external_id)
    if (before := _taken(seen)) and effect.again:
        return before
    await write_invoice(ctx.db, invoice.id, seen)
    if effect.look_only:
        raise Unavailable("Stripe has not taken it, and is not asked to any more.")
    _check_open(seen, invoice, Money(row.amount_minor, row.currency))
    try:
        seen = await effect.once("pay", f"/v1/invoices/{external_id}/pay", {"expand": _EXPAND}, done=paid)
    except Refused as refused:
        effect.begun = True  # until it is seen whether the customer must act
        if not refused.of_the_key and (waiting := _taken(await _look(client, external_id))) is not None:
            if waiting.state == "pending":  # the customer must act: that is no refusal
                return waiting
            raise Conflict("The invoice was paid otherwise at this moment; nothing was taken.") from refused
        raise
    return _taken(seen) or Taken("pending", None)


async def _look(client: StripeClient, external_id: str) -> Json:
    return await client.get(f"/v1/invoices/{external_id}", expand=_EXPAND)


def _check_open(seen: Json, invoice: models.Invoice, amount: Money) -> None:
    called, status = invoice.number or invoice.id, seen.get("status")
    if status != "open":
        raise Conflict(f"Invoice {called} is {status} at Stripe.")
    remaining = seen.get("amount_remaining")
    if remaining is not None and remaining != to_stripe(amount):
        raise Conflict(
            f"Stripe says that {remaining} ({seen.get('currency')}, in its smallest unit) is outstanding on {called}; "
            f"by our records it is {amount}. Nothing was taken."
        )


def _taken(seen: Json) -> Taken | None:
    """What the invoice says of its payment in full."""
    intents = _intents(seen)
    if seen.get("status") == "paid":
        done = [each for each in map(taken_by, intents) if each is not None and each.state == "succeeded"]
        return Taken("succeeded", done[-1].intent if done else None)
    if seen.get("status") != "open":
        return None
    waiting = [taken for intent in intents if (taken := taken_by(intent)) is not None and taken.state == "pending"]
    return waiting[-1] if waiting else None


def _intents(seen: Json) -> list[Json]:
    """Of the invoice's own payment, which pays what remains of it; parts that were attached are others'."""
    default = [payment for payment in data_of(inner(seen, "payments")) if payment.get("is_default")]
    return [intent for payment in default if (intent := inner(inner(payment, "payment"), "payment_intent"))]
