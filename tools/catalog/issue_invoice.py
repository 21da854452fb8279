from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.invoicing.card import InvoiceCard, card
from tools.registry import tool
from tools.values import Invoice, Ref


class IssueInvoice(BaseModel):
    """Arguments of `issue_invoice`."""

    invoice: Annotated[Ref[Invoice], Field(description="Id of the draft, like inv_k3f9xw2mabcd.")]


@tool(effect="write", timeout=30.0, through="invoices")
async def issue_invoice(args: IssueInvoice, ctx: ToolContext) -> InvoiceCard:
    """Issue a drafted invoice: it gets its number and can be paid. This cannot be undone."""
    found = await ctx.invoices.find(ctx, args.invoice.id)
    return card(await ctx.invoices.issue(ctx, found.id))
