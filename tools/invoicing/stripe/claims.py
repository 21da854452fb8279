"""The row of a payment that is being taken: committed before Stripe is asked, so that no second one is begun beside it.

While Stripe is asked, a claim on the whole has the invoice's identifier in `external_id`, which is unique: so there is
one such claim at a time, and a later attempt knows that it was for the whole. Then it has the payment intent's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from prisma.errors import UniqueViolationError
from tools.errors import Conflict
from tools.ids import derived_id
from tools.invoicing import rows
from tools.invoicing.balance import outstanding, payable
from tools.invoicing.stripe.amounts import to_stripe
from tools.invoicing.stripe.mirror import id_at_stripe
from tools.money import Money

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models
    from tools.context import ToolContext

State = Literal["pending", "succeeded"]


@dataclass(frozen=True, slots=True)
class Claim:
    """`new`: this call's first attempt made it just now."""

    row: models.Payment
    new: bool = False


async def claim(ctx: ToolContext, invoice_id: str, amount: Money | None) -> Claim | None:
    """This call's claim; None where it has none and may make none, because `ctx.attempt` is `look_up`.

    Raises:
        NotFound: There is no such invoice.
        Conflict: It cannot be paid so, or another payment of it is under way.
    """
    try:
        async with rows.transaction(ctx.db) as db:
            inner = replace(ctx, db=db)
            before = await db.payment.find_unique(where={"idempotency_key": ctx.idempotency_key})
            if before is not None:
                return Claim(before)
            if ctx.attempt == "look_up":
                return None
            return Claim(await _create(inner, invoice_id, amount), new=True)
    except UniqueViolationError:
        raise Conflict("A payment of this invoice is under way.") from None


async def _create(ctx: ToolContext, invoice_id: str, amount: Money | None) -> models.Payment:
    await rows.lock(ctx, invoice_id)
    invoice = await rows.find(ctx, invoice_id)
    taken = payable(invoice, amount)
    external_id = id_at_stripe(invoice)
    to_stripe(taken)
    pending = await ctx.db.payment.find_many(where={"invoice_id": invoice.id, "status": "pending"})
    under_way = sum(payment.amount_minor for payment in pending)
    left = outstanding(invoice)
    if taken.minor + under_way > left.minor:
        raise Conflict(f"A payment of {Money(under_way, left.currency)} is under way; {left} is outstanding with it.")
    return await ctx.db.payment.create(
        data={
            "id": derived_id("pay", ctx.idempotency_key),
            "tenant_id": ctx.tenant_id,
            "customer_id": invoice.customer_id,
            "invoice_id": invoice.id,
            "status": "pending",
            "amount_minor": taken.minor,
            "currency": taken.currency,
            "idempotency_key": ctx.idempotency_key,
            "external_id": external_id if taken == left else None,
        }
    )


async def settle(ctx: ToolContext, payment: models.Payment, state: State, intent: str | None) -> None:
    """What became of it: money that moved, or that will when the customer or the bank has acted."""
    async with rows.transaction(ctx.db) as tx:
        await tx.payment.update_many(
            where={"id": payment.id, "status": "pending"}, data={"status": state, "external_id": intent}
        )
        await tx.payment.update_many(  # a webhook may have said so first
            where={"id": payment.id, "status": "succeeded"}, data={"external_id": intent}
        )
        if state == "succeeded":
            await pay_off(tx, payment.invoice_id)


async def pay_off(db: Prisma, invoice_id: str) -> None:
    """Make the invoice paid where its succeeded payments come to the whole."""
    invoice = await db.invoice.find_unique_or_raise(
        where={"id": invoice_id}, include={"payments": {"where": {"status": "succeeded"}}}
    )
    if sum(payment.amount_minor for payment in invoice.payments) >= invoice.total_minor:
        await db.invoice.update_many(where={"id": invoice_id, "status": "issued"}, data={"status": "paid"})


async def fail(ctx: ToolContext, payment: models.Payment) -> None:
    """The bank said no; the row stays, so that every further attempt at this call hears the same."""
    await ctx.db.payment.update_many(
        where={"id": payment.id, "status": "pending"}, data={"status": "failed", "external_id": None}
    )


async def give_up(ctx: ToolContext, payment: models.Payment) -> None:
    """Nothing was taken: the invoice is free for another payment."""
    await ctx.db.payment.delete_many(where={"id": payment.id, "status": "pending"})
