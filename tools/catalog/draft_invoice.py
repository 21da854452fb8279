from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.context import ToolContext
from tools.customers import customer_or_error
from tools.drafting import RequestedLine, draft_from_lines, draft_from_order
from tools.errors import InvalidArguments
from tools.invoicing.card import InvoiceCard, card
from tools.money import Money
from tools.quantity import Quantity
from tools.registry import tool
from tools.values import Customer, Document, Product, Ref


class Line(BaseModel):
    """One line of an invoice that is drafted without an order."""

    product: Annotated[Ref[Product], Field(description="SKU, like WID-1001.")]
    quantity: Annotated[Quantity, Field(description="How many, like 10 or 2.5.")]
    unit_price: Annotated[
        Money | None,
        Field(
            description="Only if the user names a price; else the catalogue's, like 32.00 EUR.",
            json_schema_extra={"x-origin": "user"},
        ),
    ] = None


class DraftInvoice(BaseModel):
    """Arguments of `draft_invoice`: either `order` or `lines`."""

    model_config = ConfigDict(json_schema_extra={"x-one-of": ["order", "lines"]})

    customer: Annotated[Ref[Customer], Field(description="Customer id, like cus_acme.")]
    order: Annotated[
        Ref[Document] | None,
        Field(
            description="Document that holds the purchase order; its lines are invoiced.",
            json_schema_extra={"x-after": "check_purchase_order"},
        ),
    ] = None
    lines: Annotated[
        list[Line] | None, Field(min_length=1, max_length=100, description="What to invoice when there is no document.")
    ] = None
    due_days: Annotated[int, Field(ge=0, le=120, description="Days from today until it is due.")] = 30


@tool(effect="write", timeout=30.0, through="invoices")
async def draft_invoice(args: DraftInvoice, ctx: ToolContext) -> InvoiceCard:
    """Draft an invoice from an order document, or from lines that the user named. Nothing is sent.

    An order is checked again: with a blocking finding nothing is drafted.
    """
    if (args.order is None) == (args.lines is None):
        raise InvalidArguments("Give either order (a document) or lines, not both and not neither.")
    customer = await customer_or_error(ctx.db, ctx.tenant_id, args.customer.id)
    due_on = ctx.now().date() + timedelta(days=args.due_days)
    if args.order is not None:
        invoice = await draft_from_order(ctx, customer, args.order.id, due_on)
    else:
        requested = [RequestedLine(line.product.id, line.quantity, line.unit_price) for line in args.lines or ()]
        invoice = await draft_from_lines(ctx, customer, requested, due_on)
    return card(invoice)
