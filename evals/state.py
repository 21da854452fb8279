"""The demo company before and after a try: what can be told apart in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from prisma import Prisma
from tools.money import Money
from tools.seed import TENANT

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """`lines` is the quantity by SKU, `order` the customer's number of its order, `due_days` counted from today."""

    customer: str
    status: str
    total: str
    order: str | None
    lines: dict[str, str]
    paid: str | None
    number: str | None = None
    due_days: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What a try can change: invoices, identifiers of purchase orders, and customers and products as `records`."""

    invoices: dict[str, InvoiceState] = field(default_factory=dict[str, InvoiceState])
    orders: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()


async def state_of(db: Prisma, *, today: date = TODAY) -> State:
    """The company now; `today` is what due dates are counted from."""
    products = await db.product.find_many(where={"tenant_id": TENANT})
    customers = await db.customer.find_many(where={"tenant_id": TENANT})
    rows = await db.invoice.find_many(
        where={"tenant_id": TENANT},
        include={"lines": True, "order": True, "payments": {"where": {"status": "succeeded"}}},
    )
    skus = {product.id: product.sku for product in products}
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
            number=row.number,
            due_days=(row.due_on.date() - today).days,
        )
    orders = await db.purchaseorder.find_many(where={"tenant_id": TENANT})
    records = frozenset(
        [f"{c.id} {c.name} {c.email} {c.tax_id} {c.currency} {c.credit_limit_minor} {c.active}" for c in customers]
        + [f"{p.id} {p.sku} {p.name} {p.unit_price_minor} {p.currency} {p.active}" for p in products]
    )
    return State(invoices, frozenset(order.id for order in orders), records)
