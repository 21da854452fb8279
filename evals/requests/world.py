"""The demo company before and after a request: one fresh database each, and what can be told apart in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from prisma import Prisma
from prisma.migrate.apply import migrate
from tools.money import Money
from tools.seed import seed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """`lines` is the quantity by SKU, `order` the customer's number of its order."""

    customer: str
    status: str
    total: str
    order: str | None
    lines: dict[str, str]
    paid: str | None


@dataclass(frozen=True, slots=True)
class State:
    """What a request can change. `orders` are the identifiers of purchase orders."""

    invoices: dict[str, InvoiceState] = field(default_factory=dict[str, InvoiceState])
    orders: frozenset[str] = frozenset()


async def make_template(folder: Path) -> Path:
    """A migrated, seeded SQLite database to copy."""
    path = folder / "template.db"
    await migrate(f"file:{path}")
    async with connected(path) as db:
        await seed(db, now=NOW)
    return path


@asynccontextmanager
async def connected(path: Path) -> AsyncGenerator[Prisma]:
    db = Prisma(url=f"file:{path}")
    await db.connect()
    try:
        yield db
    finally:
        await db.disconnect()


@asynccontextmanager
async def fresh(template: Path, name: str) -> AsyncGenerator[Prisma]:
    """A copy of the template, removed afterwards."""
    path = template.with_name(f"{name}.db")
    shutil.copyfile(template, path)
    try:
        async with connected(path) as db:
            yield db
    finally:
        for left in template.parent.glob(f"{name}.db*"):
            left.unlink()


async def state_of(db: Prisma) -> State:
    rows = await db.invoice.find_many(
        include={"lines": True, "order": True, "payments": {"where": {"status": "succeeded"}}}
    )
    skus = {product.id: product.sku for product in await db.product.find_many()}
    invoices: dict[str, InvoiceState] = {}
    for row in rows:
        quantities: dict[str, Decimal] = {}
        for line in row.lines:
            sku = skus.get(line.product_id or "", line.description)
            quantities[sku] = quantities.get(sku, Decimal(0)) + Decimal(line.quantity_milli) / 1000
        paid = sum(payment.amount_minor for payment in row.payments)
        invoices[row.id] = InvoiceState(
            customer=row.customer_id,
            status=row.status.value,
            total=str(Money(row.total_minor, row.currency)),
            order=row.order.number if row.order else None,
            lines={sku: f"{quantity.normalize():f}" for sku, quantity in quantities.items()},
            paid=str(Money(paid, row.currency)) if paid else None,
        )
    orders = frozenset(order.id for order in await db.purchaseorder.find_many())
    return State(invoices, orders)
