"""Invoicing at Stripe. Our rows are claimed first, Stripe is asked then, and what it answers is kept in the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.invoicing import rows
from tools.invoicing.stripe.client import StripeClient
from tools.invoicing.stripe.drafts import place
from tools.invoicing.stripe.issuing import issue
from tools.invoicing.stripe.payments import take
from tools.money import Money

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext
    from tools.invoicing.base import Draft, Status

REPEATABLE_FOR = timedelta(hours=23)  # Stripe may forget a key after 24 hours


class Stripe:
    """The `Invoices` of a Stripe account."""

    name = "stripe"
    local = False
    repeatable_for: timedelta = REPEATABLE_FOR

    def __init__(self, client: StripeClient) -> None:
        self._client = client

    async def draft(self, ctx: ToolContext, draft: Draft) -> models.InvoiceWithRelations:
        async with rows.transaction(ctx.db) as db:
            inner = replace(ctx, db=db)
            return await rows.drafted(inner) or await rows.create(inner, draft)

    async def drafted(self, ctx: ToolContext) -> models.InvoiceWithRelations | None:
        return await rows.drafted(ctx)

    async def place(self, ctx: ToolContext, invoice: models.InvoiceWithRelations) -> models.InvoiceWithRelations:
        if invoice.status == "draft":
            await place(self._client, ctx, invoice, again=invoice.external_id is not None)
        return await rows.find(ctx, invoice.id)

    async def issue(self, ctx: ToolContext, invoice_id: str) -> models.InvoiceWithRelations:
        await issue(self._client, ctx, await rows.find(ctx, invoice_id))
        return await rows.find(ctx, invoice_id)

    async def find(self, ctx: ToolContext, invoice: str) -> models.InvoiceWithRelations:
        return await rows.find(ctx, invoice)

    async def list(
        self, ctx: ToolContext, *, customer_id: str | None = None, status: Status | None = None, limit: int
    ) -> list[models.InvoiceWithRelations]:
        return await rows.listed(ctx, customer_id=customer_id, status=status, limit=limit)

    async def take_payment(self, ctx: ToolContext, invoice_id: str, amount: Money | None) -> models.Payment:
        return await take(self._client, ctx, invoice_id, amount)

    async def close(self) -> None:
        await self._client.close()
