"""Paying a part: a payment intent of our own, attached to the invoice first and confirmed last.

So money moves in the last step, when the intent belongs to the invoice already: a crash before it leaves an intent that
took nothing, one after it finds the intent by its metadata. An intent takes its money once, however often it is asked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tools.errors import Unavailable
from tools.invoicing.stripe.amounts import to_stripe
from tools.invoicing.stripe.client import Json
from tools.invoicing.stripe.customers import customer_at_stripe, payment_method_of
from tools.invoicing.stripe.effect import Effect
from tools.invoicing.stripe.errors import Refused, StripeError
from tools.invoicing.stripe.intents import Taken, taken_by
from tools.invoicing.stripe.mirror import KEY, id_at_stripe, is_of
from tools.money import Money

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext


async def pay_part(
    effect: Effect, ctx: ToolContext, invoice: models.InvoiceWithRelations, row: models.Payment
) -> Taken:
    """Take the row's amount, or find it taken by an earlier attempt.

    Raises:
        ToolError, StripeError: It was not taken, or nobody knows.
    """
    made = await _intent(effect, ctx, invoice, row)
    intent = str(made["id"])
    if row.external_id is None:
        await ctx.db.payment.update_many(where={"id": row.id, "external_id": None}, data={"external_id": intent})

    async def confirmed() -> Json | None:
        seen = await effect.client.get(f"/v1/payment_intents/{intent}")
        return seen if taken_by(seen) else None

    if effect.again and (seen := await confirmed()) is not None and (before := taken_by(seen)):
        return before
    if effect.look_only or not is_of(made, effect.key):  # the invoice's own, which a payment of the whole waited for
        raise Unavailable("Stripe has not taken it, and is not asked to any more.")
    try:
        await _attach(effect, id_at_stripe(invoice), intent)
        path = f"/v1/payment_intents/{intent}/confirm"
        seen = await effect.once("confirm", path, {"off_session": True}, done=confirmed)
    except Refused as refused:
        effect.begun = True  # until it is seen whether the customer must act
        if refused.of_the_key:
            raise
        seen = await effect.client.get(f"/v1/payment_intents/{intent}")
        if (waiting := taken_by(seen)) is not None:  # the customer must act: that is no refusal
            return waiting
        await _cancel(effect, intent)
        raise
    return taken_by(seen) or Taken("pending", intent)


async def _intent(effect: Effect, ctx: ToolContext, invoice: models.InvoiceWithRelations, row: models.Payment) -> Json:
    client = effect.client
    customer = await customer_at_stripe(client, ctx.db, invoice.customer)

    async def made() -> Json | None:
        if row.external_id is not None:
            return await client.find(f"/v1/payment_intents/{row.external_id}")
        async for each in client.every("/v1/payment_intents", customer=customer):
            if is_of(each, effect.key):
                return each
        return None

    if effect.again and (found := await made()) is not None:
        return found
    if effect.look_only:
        raise Unavailable("Stripe has not taken it, and is not asked to any more.")
    amount = Money(row.amount_minor, row.currency)
    data = {
        "amount": to_stripe(amount),
        "currency": amount.currency.lower(),
        "customer": customer,
        "payment_method": await payment_method_of(client, customer),
        "description": f"Part of invoice {invoice.number or invoice.id}",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {KEY: effect.key, "deskclerk_payment": row.id},
    }
    return await effect.once("intent", "/v1/payment_intents", data, done=made)


async def _attach(effect: Effect, invoice: str, intent: str) -> None:
    async def attached() -> Json | None:
        chosen = {"type": "payment_intent", "payment_intent": intent}
        async for each in effect.client.every("/v1/invoice_payments", invoice=invoice, payment=chosen):
            return each
        return None

    path = f"/v1/invoices/{invoice}/attach_payment"
    await effect.once("attach", path, {"payment_intent": intent}, done=attached)


async def _cancel(effect: Effect, intent: str) -> None:
    """Of a part that was declined, so that nobody pays it later; where that fails it merely stays open."""
    with suppress(StripeError):
        await effect.client.post(f"/v1/payment_intents/{intent}/cancel", {}, key=f"{effect.key}:cancel")
