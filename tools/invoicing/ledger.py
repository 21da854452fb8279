"""Invoicing in our own database: the effect and the record of it are one transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from tools.errors import Conflict, NotFound
from tools.ids import derived_id
from tools.invoicing.base import Draft
from tools.invoicing.sums import sums
from tools.money import Money
from tools.system import NEVER

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models
    from prisma.client.types import InvoiceInclude, InvoiceWhereInput
    from tools.context import ToolContext
    from tools.invoicing.base import Status


def _include() -> InvoiceInclude:
    return {
        "customer": True,
        "order": True,
        "lines": {"order_by": {"position": "asc"}},
        "payments": {"where": {"status": "succeeded"}},
    }


class Ledger:
    """The `Invoices` that needs nothing but the database."""

    name = "ledger"
    local = True
    repeatable_for: timedelta = NEVER

    async def draft(self, ctx: ToolContext, draft: Draft) -> models.InvoiceWithRelations:
        invoice_id = derived_id("inv", ctx.idempotency_key)
        total = sums(draft.lines, draft.currency)
        async with transaction(ctx.db) as db:
            if (before := await self.drafted(replace(ctx, db=db))) is not None:
                return before
            return await db.invoice.create(
                data={
                    "id": invoice_id,
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
                include=_include(),
            )

    async def drafted(self, ctx: ToolContext) -> models.InvoiceWithRelations | None:
        invoice_id = derived_id("inv", ctx.idempotency_key)
        return await ctx.db.invoice.find_first(where={"id": invoice_id, "tenant_id": ctx.tenant_id}, include=_include())

    async def issue(self, ctx: ToolContext, invoice_id: str) -> models.InvoiceWithRelations:
        """The number is taken in the transaction that gives it, so an issue that fails leaves no gap."""
        now = ctx.now()
        async with transaction(ctx.db) as db:
            # The change of status comes first: it locks the row, and of two calls at once one changes nothing.
            changed = await db.invoice.update_many(
                where={"id": invoice_id, "tenant_id": ctx.tenant_id, "status": "draft"},
                data={"status": "issued", "issued_at": now},
            )
            if not changed:
                invoice = await _find(db, ctx.tenant_id, invoice_id)
                raise Conflict(f"Invoice {invoice.number or invoice.id} is {invoice.status} already.")
            number = await _next_number(db, ctx.tenant_id, now.year)
            await db.invoice.update(where={"id": invoice_id}, data={"number": number})
            return await _find(db, ctx.tenant_id, invoice_id)

    async def find(self, ctx: ToolContext, invoice: str) -> models.InvoiceWithRelations:
        return await _find(ctx.db, ctx.tenant_id, invoice)

    async def list(
        self, ctx: ToolContext, *, customer_id: str | None = None, status: Status | None = None, limit: int
    ) -> list[models.InvoiceWithRelations]:
        where: InvoiceWhereInput = {"tenant_id": ctx.tenant_id}
        if customer_id is not None:
            where["customer_id"] = customer_id
        if status is not None:
            where["status"] = status
        return await ctx.db.invoice.find_many(
            where=where, order=[{"created_at": "desc"}, {"id": "asc"}], take=limit, include=_include()
        )

    async def take_payment(self, ctx: ToolContext, invoice_id: str, amount: Money | None) -> models.Payment:
        async with transaction(ctx.db) as db:
            existing = await db.payment.find_unique(where={"idempotency_key": ctx.idempotency_key})
            if existing is not None:
                return existing
            await _lock(db, ctx.tenant_id, invoice_id)
            invoice = await _find(db, ctx.tenant_id, invoice_id)
            taken = _payable(invoice, amount)
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


def outstanding(invoice: models.InvoiceWithRelations) -> Money:
    """What is still to be paid on it; its succeeded payments are loaded. Nothing on a void one."""
    if invoice.status == "void":
        return Money(0, invoice.currency)
    paid = sum(payment.amount_minor for payment in invoice.payments)
    return Money(invoice.total_minor - paid, invoice.currency)


def _payable(invoice: models.InvoiceWithRelations, amount: Money | None) -> Money:
    called, left = invoice.number or invoice.id, outstanding(invoice)
    if invoice.status == "draft":
        raise Conflict(f"Invoice {called} is a draft: issue it before taking a payment.")
    if invoice.status != "issued" or left.minor <= 0:
        raise Conflict(f"Invoice {called} is {invoice.status} already; nothing is outstanding.")
    if amount is None:
        return left
    if amount.currency != invoice.currency:
        raise Conflict(f"Invoice {called} is in {invoice.currency}, not in {amount.currency}.")
    if not 0 < amount.minor <= left.minor:
        raise Conflict(f"Invoice {called} has {left} outstanding; {amount} cannot be taken.")
    return amount


async def _find(db: Prisma, tenant_id: str, invoice: str) -> models.InvoiceWithRelations:
    found = await db.invoice.find_first(
        where={"tenant_id": tenant_id, "OR": [{"id": invoice}, {"number": invoice}]}, include=_include()
    )
    if found is None:
        raise NotFound("invoice", invoice, hint="Look it up with list_invoices.")
    return found


async def _lock(db: Prisma, tenant_id: str, invoice_id: str) -> None:
    """Let no other transaction change this invoice until ours ends: two payments at once see each other."""
    await db.invoice.update_many(
        where={"id": invoice_id, "tenant_id": tenant_id, "status": "issued"}, data={"status": "issued"}
    )


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


@asynccontextmanager
async def transaction(db: Prisma) -> AsyncGenerator[Prisma]:
    """`db` where it is a transaction already, else a transaction of its own."""
    if db.is_transaction():
        yield db
        return
    async with db.tx() as tx:
        yield tx
