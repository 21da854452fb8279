"""Drafting an invoice, with every check made again in code: no model talks it out of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from prisma.errors import UniqueViolationError
from tools.errors import Blocked, Conflict, InvalidArguments, NotFound, Unavailable
from tools.ids import unused_id
from tools.invoicing.base import Draft, DraftLine
from tools.invoicing.rows import transaction
from tools.money import Money
from tools.orders.billing import billable
from tools.orders.check import check, invoice_sums
from tools.orders.findings import blocks
from tools.orders.order import Item, Order, OrderLine
from tools.orders.records import Records, load_records, product_of
from tools.quantity import Quantity
from tools.stored import read_stored_order

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models
    from prisma.client.types import PurchaseOrderLineUncheckedCreateWithoutOrderInput
    from tools.context import ToolContext


MAX_NAMED = 5  # blocking findings that a refusal spells out


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """What a person asked to have invoiced; without a price it is the catalogue's."""

    sku: str
    quantity: Quantity
    unit_price: Money | None


async def draft_from_order(
    ctx: ToolContext, customer: models.Customer, document_id: str, due_on: date
) -> models.InvoiceWithRelations:
    """An invoice of the order in the document; the order is put on record with it.

    Raises:
        NotFound, UnreadableDocument: The document is not there, or holds no order.
        Conflict: A finding is blocking, or the order is invoiced already.
    """
    order = await read_stored_order(ctx, document_id)

    async def drafted(inner: ToolContext) -> models.InvoiceWithRelations:
        records = await load_records(inner.db, ctx.tenant_id, order, customer.id)
        lines = _checked(order, records, ctx.now().date())
        try:
            order_id = await _record(inner, customer.id, document_id, order, records)
        except UniqueViolationError:
            raise Conflict(f"Order {order.number} of this customer is being invoiced at this moment.") from None
        return await ctx.invoices.draft(inner, Draft(customer.id, order.currency, lines, due_on, order_id))

    return await _once(ctx, drafted)


async def draft_from_lines(
    ctx: ToolContext, customer: models.Customer, requested: Sequence[RequestedLine], due_on: date
) -> models.InvoiceWithRelations:
    """An invoice of what a person named.

    Raises:
        NotFound: A product is not in the catalogue.
        InvalidArguments: Products or prices in several currencies.
        Conflict: A finding is blocking: customer or product inactive, over the credit limit.
    """

    async def drafted(inner: ToolContext) -> models.InvoiceWithRelations:
        order = await _as_order(inner.db, ctx.tenant_id, requested)
        records = await load_records(inner.db, ctx.tenant_id, order, customer.id)
        lines = _checked(order, records, ctx.now().date())
        return await ctx.invoices.draft(inner, Draft(customer.id, order.currency, lines, due_on))

    return await _once(ctx, drafted)


async def _once(
    ctx: ToolContext, drafted: Callable[[ToolContext], Awaitable[models.InvoiceWithRelations]]
) -> models.InvoiceWithRelations:
    """Check and write the rows in one transaction, which also claims the order; then bring them to where they belong.

    A system outside is asked after that transaction, never in it: what is claimed is committed before anybody is asked,
    and the rows hold what every further attempt must ask for in the same words.
    """
    async with transaction(ctx.db) as db:
        inner = replace(ctx, db=db)
        invoice = await ctx.invoices.drafted(inner)
        if invoice is None and ctx.attempt == "look_up":
            raise Unavailable("Nothing was drafted: the call ended before it asked for anything.")
        if invoice is None:
            invoice = await drafted(inner)
    return await ctx.invoices.place(ctx, invoice)


def _checked(order: Order, records: Records, today: date) -> tuple[DraftLine, ...]:
    """The invoice's lines.

    Raises:
        Blocked: A finding is blocking.
    """
    if found := blocks(check(order, records, today=today)):
        shown = " ".join(f"[{finding.code}] {finding.message}" for finding in found[:MAX_NAMED])
        more = f" And {len(found) - MAX_NAMED} more." if len(found) > MAX_NAMED else ""
        raise Blocked(f"Nothing was drafted. {shown}{more}")
    lines = billable(order, records)
    if lines is None:
        raise Blocked("Nothing was drafted. The order's lines cannot be invoiced as they stand.")
    return lines


async def _as_order(db: Prisma, tenant_id: str, requested: Sequence[RequestedLine]) -> Order:
    rows = await db.product.find_many(
        where={"tenant_id": tenant_id, "sku": {"in": sorted({line.sku for line in requested})}}
    )
    products = {row.sku: row for row in rows}
    for line in requested:
        if line.sku not in products:
            raise NotFound("product", line.sku, hint="Look it up with list_products.")
    currencies = {products[line.sku].currency for line in requested}
    currencies |= {line.unit_price.currency for line in requested if line.unit_price is not None}
    if len(currencies) != 1:
        raise InvalidArguments(f"An invoice has one currency; these lines have {', '.join(sorted(currencies))}.")
    return Order(
        source="request",
        currency=currencies.pop(),
        lines=tuple(
            OrderLine(
                id=str(position),
                item=Item(seller_id=line.sku, name=products[line.sku].name),
                quantity=line.quantity.decimal,
                unit=products[line.sku].unit,
                price=(line.unit_price or _price(products[line.sku])).decimal,
            )
            for position, line in enumerate(requested, 1)
        ),
    )


def _price(product: models.Product) -> Money:
    return Money(product.unit_price_minor, product.currency)


async def _record(ctx: ToolContext, customer_id: str, document_id: str, order: Order, records: Records) -> str:
    """Put the order on record as invoiced, over an earlier record of it that has no invoice. Its identifier."""
    sums = invoice_sums(order, records)
    assert sums is not None  # checked: it has a currency
    total = Money.of(order.stated_total, order.currency) if order.stated_total is not None else sums.total
    if records.earlier is not None:
        await ctx.db.purchaseorder.update(
            where={"id": records.earlier.id},
            data={
                "status": "invoiced",
                "document_id": document_id,
                "currency": order.currency,
                "total_minor": total.minor,
                "lines": {"delete_many": {}, "create": list(_line_rows(order, records))},
            },
        )
        return records.earlier.id

    async def taken(order_id: str) -> bool:
        return await ctx.db.purchaseorder.find_unique(where={"id": order_id}) is not None

    row = await ctx.db.purchaseorder.create(
        data={
            "id": await unused_id("po", taken),
            "tenant_id": ctx.tenant_id,
            "customer_id": customer_id,
            "document_id": document_id,
            "number": order.number,
            "status": "invoiced",
            "currency": order.currency,
            "total_minor": total.minor,
            "ordered_on": datetime.combine(order.issued_on, time(), UTC) if order.issued_on else None,
            "lines": {"create": list(_line_rows(order, records))},
        }
    )
    return row.id


def _line_rows(order: Order, records: Records) -> Iterator[PurchaseOrderLineUncheckedCreateWithoutOrderInput]:
    for position, line in enumerate(order.lines, 1):
        product = product_of(line, records.products)
        assert product is not None  # checked: every line has one, and a quantity
        assert line.quantity is not None
        amount = line.amount if line.amount is not None else line.expected_amount
        price = Money.of(line.unit_price, order.currency) if line.unit_price is not None else product.price
        total = Money.of(amount if amount is not None else line.quantity * price.decimal, order.currency)
        yield {
            "position": position,
            "product_id": product.id,
            "sku": line.item.seller_id,
            "description": line.item.name or product.name,
            "quantity_milli": Quantity.of(line.quantity).milli,
            "unit": line.unit or product.unit,
            "unit_price_minor": price.minor,
            "total_minor": total.minor,
        }
