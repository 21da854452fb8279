"""Invoices as rows of our database: the ledger's own, and the mirror of a provider's."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from tools.errors import NotFound
from tools.ids import derived_id
from tools.invoicing.base import Draft
from tools.invoicing.sums import sums

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models
    from prisma.client.types import InvoiceInclude, InvoiceWhereInput
    from tools.context import ToolContext
    from tools.invoicing.base import Status


def include() -> InvoiceInclude:
    """What every invoice is returned with."""
    return {
        "customer": True,
        "order": True,
        "lines": {"order_by": {"position": "asc"}},
        "payments": {"where": {"status": "succeeded"}},
    }


async def create(ctx: ToolContext, draft: Draft) -> models.InvoiceWithRelations:
    """A draft's row; its identifier follows from the call's key."""
    total = sums(draft.lines, draft.currency)
    return await ctx.db.invoice.create(
        data={
            "id": derived_id("inv", ctx.idempotency_key),
            "tenant_id": ctx.tenant_id,
            "customer_id": draft.customer_id,
            "order_id": draft.order_id,
            "currency": draft.currency,
            "net_minor": total.net.minor,
            "tax_minor": total.tax.minor,
            "total_minor": total.total.minor,
            "due_on": datetime.combine(draft.due_on, time(), UTC),
            "lines": {
                "create": [
                    {
                        "position": position,
                        "product_id": line.product_id,
                        "description": line.description,
                        "quantity_milli": line.quantity.milli,
                        "unit": line.unit,
                        "unit_price_minor": line.unit_price.minor,
                        "tax_rate_bp": line.tax_rate_bp,
                        "net_minor": line.net.minor,
                    }
                    for position, line in enumerate(draft.lines, 1)
                ]
            },
        },
        include=include(),
    )


async def drafted(ctx: ToolContext) -> models.InvoiceWithRelations | None:
    """The row that `create` made for this call's key, if it did."""
    invoice_id = derived_id("inv", ctx.idempotency_key)
    return await ctx.db.invoice.find_first(where={"id": invoice_id, "tenant_id": ctx.tenant_id}, include=include())


async def find(ctx: ToolContext, invoice: str) -> models.InvoiceWithRelations:
    """The invoice with this identifier or number.

    Raises:
        NotFound: There is none.
    """
    found = await ctx.db.invoice.find_first(
        where={"tenant_id": ctx.tenant_id, "OR": [{"id": invoice}, {"number": invoice}]}, include=include()
    )
    if found is None:
        raise NotFound("invoice", invoice, hint="Look it up with list_invoices.")
    return found


async def listed(
    ctx: ToolContext, *, customer_id: str | None, status: Status | None, limit: int
) -> list[models.InvoiceWithRelations]:
    """Invoices, newest first."""
    where: InvoiceWhereInput = {"tenant_id": ctx.tenant_id}
    if customer_id is not None:
        where["customer_id"] = customer_id
    if status is not None:
        where["status"] = status
    return await ctx.db.invoice.find_many(
        where=where, order=[{"created_at": "desc"}, {"id": "asc"}], take=limit, include=include()
    )


async def lock(ctx: ToolContext, invoice_id: str) -> None:
    """Let no other transaction change this invoice until ours ends: two payments at once see each other."""
    await ctx.db.invoice.update_many(
        where={"id": invoice_id, "tenant_id": ctx.tenant_id, "status": "issued"}, data={"status": "issued"}
    )


@asynccontextmanager
async def transaction(db: Prisma) -> AsyncGenerator[Prisma]:
    """`db` where it is a transaction already, else a transaction of its own."""
    if db.is_transaction():
        yield db
        return
    async with db.tx() as tx:
        yield tx
