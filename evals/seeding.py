"""A case's changes to the demo company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evals.case import Seed, SeedCustomer, SeedPayment, SeedProduct
from evals.state import NOW
from tools.money import Money
from tools.samples.company import CUSTOMERS, PRODUCTS, SampleInvoice
from tools.seed import TENANT, add_invoices, seed

if TYPE_CHECKING:
    from prisma import Prisma

_CURRENCIES = {customer.id: customer.currency for customer in CUSTOMERS}
_SKUS = {product.sku: product.id for product in PRODUCTS}


async def replace_records(db: Prisma) -> None:
    """Delete the company's customers, products, orders, invoices and payments, and seed it anew."""
    async with db.tx() as tx:
        ours: Any = {"tenant_id": TENANT}
        await tx.payment.delete_many(where=ours)
        await tx.invoiceline.delete_many(where={"invoice": {"is": ours}})
        await tx.invoice.delete_many(where=ours)
        await tx.purchaseorderline.delete_many(where={"order": {"is": ours}})
        await tx.purchaseorder.delete_many(where=ours)
        await tx.customer.delete_many(where=ours)
        await tx.product.delete_many(where=ours)
        await tx.counter.delete_many(where=ours)
    await seed(db, now=NOW)


async def apply(db: Prisma, changes: Seed) -> None:
    """Make the changes, all or none.

    Raises:
        ValueError: A new customer or product lacks what it needs.
    """
    if changes == Seed():
        return
    async with db.tx() as tx:
        for customer in changes.customers:
            await _customer(tx, customer)
        for product in changes.products:
            await _product(tx, product)
        if changes.invoices:
            invoices = {
                each.key: SampleInvoice(
                    each.customer, each.status, each.days_ago, tuple(each.lines.items()), each.order
                )
                for each in changes.invoices
            }
            await add_invoices(tx, invoices, now=NOW)
        for position, payment in enumerate(changes.payments):
            await _payment(tx, payment, position)


async def _customer(tx: Prisma, seed: SeedCustomer) -> None:
    data = seed.model_dump(exclude_none=True, exclude={"credit_limit"})
    currency = seed.currency or _CURRENCIES.get(seed.id, "EUR")
    if seed.credit_limit is not None:
        data["credit_limit_minor"] = Money.of(seed.credit_limit, currency).minor
    if seed.id in _CURRENCIES:
        await tx.customer.update_many(data=_fields(data), where={"id": seed.id})
        return
    if seed.name is None:
        raise ValueError(f"{seed.id} is new and needs a name")
    new: dict[str, Any] = {
        "tenant_id": TENANT,
        "email": f"office@{seed.id.removeprefix('cus_')}.example",
        "country": "DE",
        "currency": currency,
        "credit_limit_minor": 1_000_000,
        **data,
    }
    await tx.customer.create_many(data=[_fields(new)])


async def _product(tx: Prisma, seed: SeedProduct) -> None:
    data = seed.model_dump(exclude_none=True, exclude={"price"})
    if seed.price is not None:
        price = Money.parse(seed.price)
        data |= {"unit_price_minor": price.minor, "currency": price.currency}
    if seed.sku in _SKUS:
        await tx.product.update_many(data=_fields(data), where={"id": _SKUS[seed.sku]})
        return
    if seed.name is None or seed.price is None:
        raise ValueError(f"{seed.sku} is new and needs a name and a price")
    key = seed.sku.lower().replace("-", "")
    await tx.product.create_many(data=[_fields({"id": f"prd_{key}", "tenant_id": TENANT, "tax_rate_bp": 1900, **data})])


async def _payment(tx: Prisma, seed: SeedPayment, position: int) -> None:
    invoice = await tx.invoice.find_unique_or_raise(where={"id": seed.invoice})
    amount = Money.parse(seed.amount)
    await tx.payment.create(
        data={
            "id": f"pay_part{position}",
            "tenant_id": TENANT,
            "customer_id": invoice.customer_id,
            "invoice_id": invoice.id,
            "status": "succeeded",
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "idempotency_key": f"part{position}",
            "created_at": NOW - timedelta(days=1),
        }
    )


def _fields(data: Mapping[str, Any]) -> Any:
    """Rows as the client takes them: its typed dicts cannot be told from fields that may be left out."""
    return dict(data)
