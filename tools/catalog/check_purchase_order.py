from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.customers import customer_or_error
from tools.money import Money
from tools.orders.check import check, invoice_sums
from tools.orders.findings import Finding, blocks
from tools.orders.records import load_records
from tools.registry import tool
from tools.stored import read_stored_order
from tools.values import Customer, Document, Ref

MAX_SHOWN = 8  # findings, gravest first


class CheckPurchaseOrder(BaseModel):
    """Arguments of `check_purchase_order`."""

    document: Annotated[Ref[Document], Field(description="The document that holds the order, like doc_k3f9xw2m.")]
    customer: Annotated[Ref[Customer], Field(description="The customer it is from, like cus_acme.")]


class OrderCheck(BaseModel):
    """`blocking`: it cannot be invoiced as it stands. `total` is what its invoice would come to, tax included."""

    document: Ref[Document]
    order_number: str
    customer: Ref[Customer]
    customer_name: str
    total: Money | None
    blocking: bool
    findings: list[Finding]
    more_findings: int = 0


@tool(effect="read", timeout=30.0, results="document")
async def check_purchase_order(args: CheckPurchaseOrder, ctx: ToolContext) -> OrderCheck:
    """Check a purchase order against its customer, our prices and the credit limit. Changes nothing."""
    customer = await customer_or_error(ctx.db, ctx.tenant_id, args.customer.id)
    order = await read_stored_order(ctx, args.document.id)
    records = await load_records(ctx.db, ctx.tenant_id, order, customer.id)
    findings = check(order, records, today=ctx.now().date())
    sums = invoice_sums(order, records)
    return OrderCheck(
        document=args.document,
        order_number=order.number,
        customer=args.customer,
        customer_name=customer.name,
        total=sums.total if sums else None,
        blocking=bool(blocks(findings)),
        findings=findings[:MAX_SHOWN],
        more_findings=max(0, len(findings) - MAX_SHOWN),
    )
