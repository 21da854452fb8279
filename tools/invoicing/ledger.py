"""Invoicing in our own database: the effect and the record of it are one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.errors import Conflict
from tools.ids import derived_id
from tools.invoicing import rows
from tools.invoicing.balance import outstanding, payable
from tools.invoicing.base import Draft
from tools.invoicing.rows import transaction
from tools.money import Money
from tools.system import NEVER

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models
    from tools.context import ToolContext
    from tools.invoicing.base import Status


class Ledger:
    """The `Invoices` that needs nothing but the database."""

    name = "ledger"
    local = True
    repeatable_for: timedelta = NEVER

    async def draft(self, ctx: ToolContext, draft: Draft) -> models.InvoiceWithRelations:
        async with transaction(ctx.db) as db:
            inner = replace(ctx, db=db)
            return await rows.drafted(inner) or await rows.create(inner, draft)

    async def place(
        self,
        ctx: ToolContext,  # noqa: ARG002 - the protocol's
        invoice: models.InvoiceWithRelations,
    ) -> models.InvoiceWithRelations:
        """Nothing is left to do: our row is the invoice."""
        return invoice

    async def drafted(self, ctx: ToolContext) -> models.InvoiceWithRelations | None:
        return await rows.drafted(ctx)

    async def issue(self, ctx: ToolContext, invoice_id: str) -> models.InvoiceWithRelations:
        """The number is taken in the transaction that gives it, so an issue that fails leaves no gap."""
        now = ctx.now()
        async with transaction(ctx.db) as db:
            inner = replace(ctx, db=db)
            # The change of status comes first: it locks the row, and of two calls at once one changes nothing.
            changed = await db.invoice.update_many(
                where={"id": invoice_id, "tenant_id": ctx.tenant_id, "status": "draft"},
                data={"status": "issued", "issued_at": now},
            )
            if not changed:
                invoice = await rows.find(inner, invoice_id)
                raise Conflict(f"Invoice {invoice.number or invoice.id} is {invoice.status} already.")
            number = await _next_number(db, ctx.tenant_id, now.year)
            await db.invoice.update(where={"id": invoice_id}, data={"number": number})
            return await rows.find(inner, invoice_id)

    async def find(self, ctx: ToolContext, invoice: str) -> models.InvoiceWithRelations:
        return await rows.find(ctx, invoice)

    async def list(
        self, ctx: ToolContext, *, customer_id: str | None = None, status: Status | None = None, limit: int
    ) -> list[models.InvoiceWithRelations]:
        return await rows.listed(ctx, customer_id=customer_id, status=status, limit=limit)

    async def take_payment(self, ctx: ToolContext, invoice_id: str, amount: Money | None) -> models.Payment:
        async with transaction(ctx.db) as db:
            existing = await db.payment.find_unique(where={"idempotency_key": ctx.idempotency_key})
            if existing is not None:
                return existing
            inner = replace(ctx, db=db)
            await rows.lock(inner, invoice_id)
            invoice = await rows.find(inner, invoice_id)
            taken = payable(invoice, amount)
            payment = await db.payment.create(
                data={
                    "id": derived_id("pay", ctx.idempotency_key),
                    "tenant_id": ctx.tenant_id,
                    "customer_id": invoice.customer_id,
                    "invoice_id": invoice.id,
                    "status": "succeeded",
                    "amount_minor": taken.minor,
                    "currency": taken.currency,
                    "idempotency_key": ctx.idempotency_key,
                }
            )
            if taken == outstanding(invoice):
                await db.invoice.update(where={"id": invoice.id}, data={"status": "paid"})
            return payment

    async def close(self) -> None:
        """Nothing is open: the database belongs to whoever connected it."""


async def _next_number(db: Prisma, tenant_id: str, year: int) -> str:
    """`INV-2026-0001`, without gaps in a tenant and a year. The counter's row is locked until the transaction ends."""
    series = f"invoice-{year}"
    counter = await db.counter.upsert(
        where={"tenant_id_series": {"tenant_id": tenant_id, "series": series}},
        data={
            "create": {"tenant_id": tenant_id, "series": series, "value": 1},
            "update": {"value": {"increment": 1}},
        },
    )
    return f"INV-{year}-{counter.value:04d}"
