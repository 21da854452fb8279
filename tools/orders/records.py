"""What our records say about an order: its customer, the products it names, what is owed, what came before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.credit import Credit, credit_of
from tools.money import Money
from tools.orders.order import Order, OrderLine

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    id: str
    name: str
    email: str
    country: str
    currency: str
    tax_id: str | None = None
    endpoint: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """`price` is for one `unit`, before tax; `tax_rate_bp` 1900 is 19 %."""

    id: str
    sku: str
    name: str
    unit: str
    price: Money
    tax_rate_bp: int = 0
    gtin: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class EarlierOrder:
    """An order with the same number from the same customer. `invoices` are not void, by number or identifier."""

    id: str
    invoices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """`products` are those that the order may mean; `currencies` are all that we sell in."""

    customer: CustomerFacts | None
    products: tuple[ProductFacts, ...]
    currencies: frozenset[str]
    credit: Credit | None = None
    earlier: EarlierOrder | None = None


def product_of(line: OrderLine, products: tuple[ProductFacts, ...]) -> ProductFacts | None:
    """The product that `line` means: by our number, else by GTIN; by its exact name where it gives none of ours."""
    sku = line.item.seller_id.casefold()
    gtin = gtin_of(line)
    by_sku = next((product for product in products if sku and product.sku.casefold() == sku), None)
    by_gtin = next((product for product in products if gtin and (product.gtin or "").lstrip("0") == gtin), None)
    if by_sku or by_gtin or sku:
        return by_sku or by_gtin
    name = line.item.name.casefold()
    named = [product for product in products if name and product.name.casefold() == name]
    return named[0] if len(named) == 1 else None


def gtin_of(line: OrderLine) -> str:
    """The line's standard number without leading zeros, which GTIN-8, -12, -13 and -14 differ in."""
    standard = line.item.standard_id
    return standard.value.lstrip("0") if standard else ""


async def load_records(db: Prisma, tenant_id: str, order: Order, customer_id: str) -> Records:
    """The records that bear on `order` as one from this customer, who need not exist."""
    customer = await db.customer.find_first(where={"id": customer_id, "tenant_id": tenant_id})
    return Records(
        customer=_customer(customer) if customer else None,
        products=await _products(db, tenant_id, order),
        currencies=await _currencies(db, tenant_id),
        credit=await credit_of(db, customer.id) if customer else None,
        earlier=await _earlier(db, customer.id, order.number) if customer and order.number else None,
    )


async def _products(db: Prisma, tenant_id: str, order: Order) -> tuple[ProductFacts, ...]:
    skus = {line.item.seller_id for line in order.lines if line.item.seller_id}
    gtins = {line.item.standard_id.value for line in order.lines if line.item.standard_id}
    names = {line.item.name for line in order.lines if line.item.name}
    rows = await db.product.find_many(
        where={
            "tenant_id": tenant_id,
            "OR": [
                {"sku": {"in": sorted({form for sku in skus for form in (sku, sku.upper(), sku.lower())})}},
                {"gtin": {"in": sorted({form for gtin in gtins for form in _gtin_forms(gtin)})}},
                {"name": {"in": sorted(names)}},
            ],
        }
    )
    return tuple(_product(row) for row in rows)


def _gtin_forms(gtin: str) -> set[str]:
    bare = gtin.lstrip("0")
    return {gtin, bare, *(bare.zfill(length) for length in (8, 12, 13, 14))}


async def _currencies(db: Prisma, tenant_id: str) -> frozenset[str]:
    rows = await db.product.find_many(where={"tenant_id": tenant_id, "active": True}, distinct=["currency"])
    return frozenset(row.currency for row in rows)


async def _earlier(db: Prisma, customer_id: str, number: str) -> EarlierOrder | None:
    """By its number, white space and case aside, which the two databases would compare differently."""
    known = await db.purchaseorder.find_many(where={"customer_id": customer_id}, select={"id": True, "number": True})
    same = [row.id for row in known if _bare(row.number) == _bare(number)]
    if not same:
        return None
    rows = await db.purchaseorder.find_many(where={"id": {"in": same}}, include={"invoices": True})
    invoices = [invoice for row in rows for invoice in row.invoices if invoice.status != "void"]
    return EarlierOrder(rows[0].id, tuple(invoice.number or invoice.id for invoice in invoices))


def _bare(number: str) -> str:
    return "".join(number.split()).casefold()


def _customer(row: models.Customer) -> CustomerFacts:
    return CustomerFacts(
        id=row.id,
        name=row.name,
        email=row.email,
        country=row.country,
        currency=row.currency,
        tax_id=row.tax_id,
        endpoint=row.endpoint,
        active=row.active,
    )


def _product(row: models.Product) -> ProductFacts:
    return ProductFacts(
        id=row.id,
        sku=row.sku,
        name=row.name,
        unit=row.unit,
        price=Money(row.unit_price_minor, row.currency),
        tax_rate_bp=row.tax_rate_bp,
        gtin=row.gtin,
        active=row.active,
    )
