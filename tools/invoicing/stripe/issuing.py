"""Issuing: Stripe finalizes the draft and gives it its number. Source: https://docs.stripe.com/api/invoices/finalize"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import Conflict, Unavailable
from tools.invoicing.stripe.client import Json, StripeClient
from tools.invoicing.stripe.effect import Effect
from tools.invoicing.stripe.errors import StripeError, told
from tools.invoicing.stripe.mirror import check_total, id_at_stripe, write_invoice

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext


async def issue(client: StripeClient, ctx: ToolContext, invoice: models.InvoiceWithRelations) -> None:
    """Finalize the invoice, unless it is final already.

    An attempt after the first takes a final invoice for its own work: nobody else issues what this call was asked to.

    Raises:
        ToolError: It was not issued.
        OutcomeUnknown: It may have been.
    """
    first = ctx.attempt == "first"
    if invoice.status != "draft":
        if first:
            raise Conflict(f"Invoice {invoice.number or invoice.id} is {invoice.status} already.")
        return
    external_id = id_at_stripe(invoice)
    effect = Effect.of(client, ctx, again=False)

    async def final() -> Json | None:
        seen = await client.get(f"/v1/invoices/{external_id}")
        return None if seen.get("status") == "draft" else seen

    try:
        seen = await client.get(f"/v1/invoices/{external_id}")
        if seen.get("status") != "draft":
            await write_invoice(ctx.db, invoice.id, seen)
            if first or seen.get("status") == "void":
                raise Conflict(f"Invoice {invoice.id} is {seen.get('status')} at Stripe already.")
            return
        if effect.look_only:
            raise Unavailable("Stripe has not issued it, and is not asked to any more.")
        check_total(invoice, seen)
        path = f"/v1/invoices/{external_id}/finalize"
        seen = await effect.once("finalize", path, {"auto_advance": False}, done=final)
        await write_invoice(ctx.db, invoice.id, seen)
    except StripeError as error:
        raise told(error, begun=effect.begun) from error
