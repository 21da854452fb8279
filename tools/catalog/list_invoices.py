from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.customers import customer_or_error
from tools.invoicing.base import Status
from tools.invoicing.card import InvoiceCard, card
from tools.registry import tool
from tools.values import Customer, Invoice, Ref

MAX_LISTED = 10


class ListInvoices(BaseModel):
    """Arguments of `list_invoices`."""

    invoice: Annotated[
        Ref[Invoice] | None, Field(description="Only this one, by its number (INV-2026-0001) or id; no other filter.")
    ] = None
    customer: Annotated[Ref[Customer] | None, Field(description="Only this customer's, like cus_acme.")] = None
    status: Annotated[Status | None, Field(description="Only these: draft, issued (not yet paid), paid or void.")] = (
        None
    )


class ListedInvoices(BaseModel):
    """Newest first; `more` says that there are older ones."""

    invoices: list[InvoiceCard]
    more: bool = False


@tool(effect="read", timeout=5.0)
async def list_invoices(args: ListInvoices, ctx: ToolContext) -> ListedInvoices:
    """Look up one invoice, or list them, newest first, of all customers or of one; unpaid ones have status issued."""
    if args.invoice is not None:
        return ListedInvoices(invoices=[card(await ctx.invoices.find(ctx, args.invoice.id))])
    customer_id = args.customer.id if args.customer else None
    if customer_id is not None:
        await customer_or_error(ctx.db, ctx.tenant_id, customer_id)
    found = await ctx.invoices.list(ctx, customer_id=customer_id, status=args.status, limit=MAX_LISTED + 1)
    return ListedInvoices(invoices=[card(invoice) for invoice in found[:MAX_LISTED]], more=len(found) > MAX_LISTED)
