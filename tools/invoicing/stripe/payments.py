"""Taking a payment: the whole by `pay`, which an invoice takes once; a part by a payment intent attached to it.

Source: https://docs.stripe.com/api/invoices/pay, https://docs.stripe.com/api/invoices/attach_payment,
https://docs.stripe.com/invoicing/partial-payments
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import OutcomeUnknown, PaymentDeclined, ToolError, Unavailable
from tools.invoicing.stripe.claims import claim, fail, give_up, settle
from tools.invoicing.stripe.client import StripeClient
from tools.invoicing.stripe.effect import Effect
from tools.invoicing.stripe.errors import StripeError, told
from tools.invoicing.stripe.mirror import id_at_stripe
from tools.invoicing.stripe.part import pay_part
from tools.invoicing.stripe.whole import pay_whole

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext
    from tools.money import Money


async def take(client: StripeClient, ctx: ToolContext, invoice_id: str, amount: Money | None) -> models.Payment:
    """Take the payment, or what is known of it where it was taken before.

    Raises:
        ToolError: Nothing was taken.
        OutcomeUnknown: It may have been; its row stays `pending`.
    """
    claimed = await claim(ctx, invoice_id, amount)
    if claimed is None:
        raise Unavailable("Nothing was taken: the call ended before it asked for anything.")
    row = claimed.row
    if row.status == "failed":
        raise PaymentDeclined("The payment was declined.")
    if row.status == "pending":
        await _take(client, ctx, row, again=not claimed.new)
    return await ctx.db.payment.find_unique_or_raise(where={"id": row.id})


async def _take(client: StripeClient, ctx: ToolContext, row: models.Payment, *, again: bool) -> None:
    invoice = await ctx.db.invoice.find_unique_or_raise(where={"id": row.invoice_id}, include={"customer": True})
    effect = Effect.of(client, ctx, again=again)
    whole = row.external_id == id_at_stripe(invoice)
    try:
        taken = await (pay_whole if whole else pay_part)(effect, ctx, invoice, row)
    except PaymentDeclined:
        await fail(ctx, row)
        raise
    except ToolError as error:
        if not isinstance(error, OutcomeUnknown):
            await give_up(ctx, row)
        raise
    except StripeError as error:
        failure = told(error, begun=effect.begun)
        if isinstance(failure, PaymentDeclined):
            await fail(ctx, row)
        elif not isinstance(failure, OutcomeUnknown):
            await give_up(ctx, row)
        raise failure from error
    await settle(ctx, row, taken.state, taken.intent)
