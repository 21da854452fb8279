"""A small believable company: its customers, products, orders, invoices and payments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from tools.invoicing.base import DraftLine
from tools.invoicing.sums import sums
from tools.money import Money
from tools.quantity import Quantity
from tools.samples.company import CUSTOMERS, INVOICES, PRODUCTS, SampleInvoice, SampleProduct

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.types import (
        InvoiceCreateManyInput,
        InvoiceLineCreateManyInput,
        PaymentCreateManyInput,
        PurchaseOrderCreateManyInput,
        PurchaseOrderLineCreateManyInput,
    )

TENANT = "default"
_TX_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seeded:
    """Rows written; none where the company is there already."""

    customers: int = 0
    products: int = 0
    invoices: int = 0

    @property
    def created(self) -> bool:
        return self.customers > 0


async def seed(db: Prisma, *, now: datetime) -> Seeded:
    """Put the company into tenant `default`, in one transaction. A second run changes nothing.

    Args:
        now: Invoices are dated back from here; aware, UTC.
    """
    async with db.tx(timeout=_TX_SECONDS) as tx:
        await tx.tenant.upsert(
            where={"id": TENANT}, data={"create": {"id": TENANT, "name": "Demo company"}, "update": {}}
        )
        if await tx.customer.find_unique(where={"id": CUSTOMERS[0].id}) is not None:
            return Seeded()
        await tx.customer.create_many(
            data=[
                {
                    "id": customer.id,
                    "tenant_id": TENANT,
                    "name": customer.name,
                    "email": customer.email,
                    "tax_id": customer.tax_id,
                    "endpoint": customer.endpoint,
                    "street": customer.street,
                    "city": customer.city,
                    "postal_code": customer.postal_code,
                    "country": customer.country,
                    "currency": customer.currency,
                    "credit_limit_minor": Money.of(customer.credit_limit, customer.currency).minor,
                    "active": customer.active,
                }
                for customer in CUSTOMERS
            ]
        )
        await tx.product.create_many(
            data=[
                {
                    "id": product.id,
                    "tenant_id": TENANT,
                    "sku": product.sku,
                    "name": product.name,
                    "gtin": product.gtin,
                    "unit": product.unit,
                    "unit_price_minor": Money.of(product.price, product.currency).minor,
                    "currency": product.currency,
                    "tax_rate_bp": product.tax_rate_bp,
                    "active": product.active,
                }
                for product in PRODUCTS
            ]
        )
        await add_invoices(tx, {f"seed{number:02d}": invoice for number, invoice in enumerate(INVOICES, 1)}, now=now)
    return Seeded(len(CUSTOMERS), len(PRODUCTS), len(INVOICES))


async def add_invoices(tx: Prisma, invoices: Mapping[str, SampleInvoice], *, now: datetime) -> None:
    """Write invoices with their orders, payments and numbers; `inv_<key>` is what each is called.

    Args:
        tx: A transaction, so that all is there or nothing.
        now: They are dated back from here.
    """
    rows = _history(invoices, now, {year: await _last_number(tx, year) for year in _years(invoices.values(), now)})
    await tx.purchaseorder.create_many(data=rows.orders)
    await tx.purchaseorderline.create_many(data=rows.order_lines)
    await tx.invoice.create_many(data=rows.invoices)
    await tx.invoiceline.create_many(data=rows.invoice_lines)
    await tx.payment.create_many(data=rows.payments)
    for year, number in rows.last_numbers.items():
        await tx.counter.upsert(
            where={"tenant_id_series": {"tenant_id": TENANT, "series": f"invoice-{year}"}},
            data={
                "create": {"tenant_id": TENANT, "series": f"invoice-{year}", "value": number},
                "update": {"value": number},
            },
        )


@dataclass
class _Rows:
    """What happened before today; `last_numbers` is where each year's numbers stand after it."""

    last_numbers: dict[int, int]
    orders: list[PurchaseOrderCreateManyInput] = field(default_factory=list["PurchaseOrderCreateManyInput"])
    order_lines: list[PurchaseOrderLineCreateManyInput] = field(
        default_factory=list["PurchaseOrderLineCreateManyInput"]
    )
    invoices: list[InvoiceCreateManyInput] = field(default_factory=list["InvoiceCreateManyInput"])
    invoice_lines: list[InvoiceLineCreateManyInput] = field(default_factory=list["InvoiceLineCreateManyInput"])
    payments: list[PaymentCreateManyInput] = field(default_factory=list["PaymentCreateManyInput"])


def _years(invoices: Iterable[SampleInvoice], now: datetime) -> set[int]:
    return {(now - timedelta(days=invoice.days_ago)).year for invoice in invoices if invoice.status != "draft"}


async def _last_number(db: Prisma, year: int) -> int:
    counter = await db.counter.find_first(where={"tenant_id": TENANT, "series": f"invoice-{year}"})
    return counter.value if counter else 0


def _history(invoices: Mapping[str, SampleInvoice], now: datetime, last_numbers: dict[int, int]) -> _Rows:
    """The rows, flat: a few statements write them all. Invoices are numbered on from `last_numbers`."""
    rows = _Rows(dict(last_numbers))
    products = {product.sku: product for product in PRODUCTS}
    for key, invoice in invoices.items():
        lines = [_line(products[sku], quantity) for sku, quantity in invoice.lines]
        _add(rows, invoice, key, lines, now - timedelta(days=invoice.days_ago))
    return rows


def _add(rows: _Rows, invoice: SampleInvoice, suffix: str, lines: Sequence[DraftLine], at: datetime) -> None:
    """One invoice with its order and its payment."""
    total = sums(lines, lines[0].net.currency)
    number = None
    if invoice.status != "draft":
        rows.last_numbers[at.year] += 1
        number = f"INV-{at.year}-{rows.last_numbers[at.year]:04d}"
    if invoice.order:
        rows.orders.append(
            {
                "id": f"po_{suffix}",
                "tenant_id": TENANT,
                "customer_id": invoice.customer,
                "number": invoice.order,
                "status": "invoiced",
                "currency": total.total.currency,
                "total_minor": total.total.minor,
                "ordered_on": at - timedelta(days=2),
                "created_at": at - timedelta(days=1),
            }
        )
        rows.order_lines += _order_lines(f"po_{suffix}", lines)
    rows.invoices.append(
        {
            "id": f"inv_{suffix}",
            "tenant_id": TENANT,
            "customer_id": invoice.customer,
            "order_id": f"po_{suffix}" if invoice.order else None,
            "number": number,
            "status": invoice.status,
            "currency": total.total.currency,
            "net_minor": total.net.minor,
            "tax_minor": total.tax.minor,
            "total_minor": total.total.minor,
            "due_on": datetime.combine((at + timedelta(days=30)).date(), time(), UTC),
            "issued_at": at if number else None,
            "created_at": at,
        }
    )
    rows.invoice_lines += _invoice_lines(f"inv_{suffix}", lines)
    if invoice.status == "paid":
        rows.payments.append(
            {
                "id": f"pay_{suffix}",
                "tenant_id": TENANT,
                "customer_id": invoice.customer,
                "invoice_id": f"inv_{suffix}",
                "status": "succeeded",
                "amount_minor": total.total.minor,
                "currency": total.total.currency,
                "idempotency_key": suffix,
                "created_at": at + timedelta(days=7),
            }
        )


def _order_lines(order_id: str, lines: Sequence[DraftLine]) -> Iterator[PurchaseOrderLineCreateManyInput]:
    for position, line in enumerate(lines, 1):
        sku, _, name = line.description.partition(" ")
        yield {
            "order_id": order_id,
            "position": position,
            "product_id": line.product_id,
            "sku": sku,
            "description": name,
            "quantity_milli": line.quantity.milli,
            "unit": line.unit,
            "unit_price_minor": line.unit_price.minor,
            "total_minor": line.net.minor,
        }


def _invoice_lines(invoice_id: str, lines: Sequence[DraftLine]) -> Iterator[InvoiceLineCreateManyInput]:
    for position, line in enumerate(lines, 1):
        yield {
            "invoice_id": invoice_id,
            "position": position,
            "product_id": line.product_id,
            "description": line.description,
            "quantity_milli": line.quantity.milli,
            "unit": line.unit,
            "unit_price_minor": line.unit_price.minor,
            "tax_rate_bp": line.tax_rate_bp,
            "net_minor": line.net.minor,
        }


def _line(product: SampleProduct, quantity: int) -> DraftLine:
    price = Money.of(product.price, product.currency)
    return DraftLine(
        description=f"{product.sku} {product.name}",
        quantity=Quantity.of(quantity),
        unit=product.unit,
        unit_price=price,
        net=Money(price.minor * quantity, price.currency),
        tax_rate_bp=product.tax_rate_bp,
        product_id=product.id,
    )
