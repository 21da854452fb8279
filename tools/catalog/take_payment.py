from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.invoicing.balance import outstanding
from tools.invoicing.base import Status
from tools.money import Money
from tools.registry import tool
from tools.values import Customer, Invoice, Payment, Ref


class TakePayment(BaseModel):
    """Arguments of `take_payment`."""

    invoice: Annotated[Ref[Invoice], Field(description="Number or id of an issued invoice, like INV-2026-0001.")]
    amount: Annotated[
        Money | None,
        Field(
            description="Only if the user names an amount; else all that is outstanding.",
            json_schema_extra={"x-origin": "user"},
        ),
    ] = None


class PaymentTaken(BaseModel):
    """A payment, and how its invoice stands after it."""

    id: Ref[Payment]
    status: Literal["pending", "succeeded", "failed"]
    amount: Money
    invoice: Ref[Invoice]
    customer: Ref[Customer]
    invoice_status: Status
    outstanding: Money


@tool(effect="money", timeout=30.0, through="invoices")
async def take_payment(args: TakePayment, ctx: ToolContext) -> PaymentTaken:
    """Take the payment of an issued invoice, or a part of it. Never more than is outstanding."""
    found = await ctx.invoices.find(ctx, args.invoice.id)
    payment = await ctx.invoices.take_payment(ctx, found.id, args.amount)
    after = await ctx.invoices.find(ctx, found.id)
    return PaymentTaken(
        id=Ref(payment.id),
        status=payment.status.value,
        amount=Money(payment.amount_minor, payment.currency),
        invoice=Ref(after.number or after.id),
        customer=Ref(after.customer_id),
        invoice_status=after.status.value,
        outstanding=outstanding(after),
    )
