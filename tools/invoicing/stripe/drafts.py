"""A draft's rows brought to Stripe: an invoice, an item for each line, and one for the tax of each rate.

The tax is an item of its own because it is worked out once for each rate (EN 16931), while Stripe's tax rates round it
for each line: the two differ by cents, and then the totals would. Source: https://docs.stripe.com/api/invoices/create,
https://docs.stripe.com/api/invoiceitems/create
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tools.errors import OutcomeUnknown, ToolError, Unavailable
from tools.invoicing.rows import transaction
from tools.invoicing.stripe.amounts import to_stripe
from tools.invoicing.stripe.client import Json, StripeClient, inner
from tools.invoicing.stripe.customers import customer_at_stripe
from tools.invoicing.stripe.effect import Effect
from tools.invoicing.stripe.errors import StripeError, told
from tools.invoicing.stripe.mirror import KEY, check_total, is_of
from tools.invoicing.sums import taxes
from tools.money import Money
from tools.quantity import Quantity

if TYPE_CHECKING:
    from prisma.client import models
    from tools.context import ToolContext

LINE = "deskclerk_line"  # in an item's metadata: which of ours it is
_END_OF_DAY = timedelta(hours=23, minutes=59, seconds=59)
_LONGEST_FIELD = 140  # characters of a custom field's value
_LONGEST_DESCRIPTION = 500  # characters


@dataclass(frozen=True, slots=True)
class Item:
    """`name` tells it from the invoice's other items; `amount` is in Stripe's unit."""

    name: str
    description: str
    amount: int


async def place(client: StripeClient, ctx: ToolContext, invoice: models.InvoiceWithRelations, *, again: bool) -> None:
    """Bring the draft to Stripe, or as much of it as is not there yet.

    Raises:
        ToolError: It is not there; its rows are taken back.
        OutcomeUnknown: It may be there, or a part of it.
    """
    effect = Effect.of(client, ctx, again=again)
    try:
        await _place(effect, ctx, invoice)
    except ToolError as error:
        await _take_back(client, ctx, invoice, error)
        raise
    except StripeError as error:
        failure = told(error, begun=effect.begun)
        await _take_back(client, ctx, invoice, failure)
        raise failure from error


async def _place(effect: Effect, ctx: ToolContext, invoice: models.InvoiceWithRelations) -> None:
    items = list(items_of(invoice))
    if effect.look_only and invoice.customer.external_id is None:
        raise Unavailable("Nothing was drafted: Stripe does not know this customer yet.")
    customer = await customer_at_stripe(effect.client, ctx.db, invoice.customer)
    made = await _invoice(effect, invoice, customer)
    external_id = str(made["id"])
    if invoice.external_id != external_id:
        await ctx.db.invoice.update_many(where={"id": invoice.id}, data={"external_id": external_id})
    if effect.look_only and len(await _items(effect.client, external_id)) < len(items):
        raise OutcomeUnknown(f"A part of the draft is at Stripe ({external_id}); a person must finish or delete it.")
    for item in items:
        await _item(effect, item, invoice, external_id, customer)
    check_total(invoice, await effect.client.get(f"/v1/invoices/{external_id}"))


async def _invoice(effect: Effect, invoice: models.InvoiceWithRelations, customer: str) -> Json:
    async def made() -> Json | None:
        if invoice.external_id is not None:
            return await effect.client.find(f"/v1/invoices/{invoice.external_id}")
        async for each in effect.client.every("/v1/invoices", customer=customer):
            if is_of(each, effect.key):
                return each
        return None

    order = invoice.order.number[:_LONGEST_FIELD] if invoice.order else None
    data = {
        "customer": customer,
        "currency": invoice.currency.lower(),
        "collection_method": "send_invoice",
        "due_date": int((invoice.due_on + _END_OF_DAY).timestamp()),
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "discounts": "",
        "custom_fields": [{"name": "Order", "value": order}] if order else None,
        "metadata": {KEY: effect.key, "deskclerk_invoice": invoice.id},
    }
    return await effect.once("invoice", "/v1/invoices", data, done=made)


async def _item(
    effect: Effect, item: Item, invoice: models.InvoiceWithRelations, external_id: str, customer: str
) -> None:
    async def made() -> Json | None:
        return (await _items(effect.client, external_id)).get(item.name)

    data = {
        "customer": customer,
        "invoice": external_id,
        "amount": item.amount,
        "currency": invoice.currency.lower(),
        "description": item.description[:_LONGEST_DESCRIPTION],
        "discountable": False,
        "metadata": {KEY: effect.key, LINE: item.name},
    }
    await effect.once(item.name, "/v1/invoiceitems", data, done=made)


async def _items(client: StripeClient, external_id: str) -> dict[str, Json]:
    """Our items of an invoice, by name."""
    found = [each async for each in client.every("/v1/invoiceitems", invoice=external_id)]
    return {str(inner(each, "metadata").get(LINE)): each for each in found}


def items_of(invoice: models.InvoiceWithRelations) -> Iterator[Item]:
    """What the invoice's rows come to, in Stripe's unit.

    Raises:
        Conflict: Stripe cannot take such an amount.
    """
    currency = invoice.currency
    for line in invoice.lines:
        many = Quantity(line.quantity_milli)
        price = Money(line.unit_price_minor, currency)
        counted = f" ({many} x {price})" if line.quantity_milli != 1000 else ""
        amount = to_stripe(Money(line.net_minor, currency))
        yield Item(f"line-{line.position}", f"{line.description}{counted}", amount)
    for tax in taxes((line.tax_rate_bp, line.net_minor) for line in invoice.lines):
        if tax.tax_minor:
            percent = f"{Decimal(tax.rate_bp).scaleb(-2).normalize():f}"
            description = f"Tax {percent} % on {Money(tax.net_minor, currency)}"
            yield Item(f"tax-{tax.rate_bp}", description, to_stripe(Money(tax.tax_minor, currency)))


async def _take_back(
    client: StripeClient, ctx: ToolContext, invoice: models.InvoiceWithRelations, failure: ToolError
) -> None:
    """Leave nothing behind of a draft that failed for good: not at Stripe, not here; the order is free again.

    Raises:
        OutcomeUnknown: What is at Stripe may still be there.
    """
    if isinstance(failure, OutcomeUnknown):
        return
    row = await ctx.db.invoice.find_unique(where={"id": invoice.id})
    if row is not None and row.external_id is not None:
        try:
            await client.delete(f"/v1/invoices/{row.external_id}")
        except StripeError as error:
            message = f"{failure.message} A draft may be left at Stripe ({row.external_id})."
            raise OutcomeUnknown(message) from error
    async with transaction(ctx.db) as tx:
        await tx.invoice.delete_many(where={"id": invoice.id, "status": "draft"})
        if invoice.order_id is not None:
            await tx.purchaseorder.update_many(
                where={"id": invoice.order_id, "status": "invoiced"}, data={"status": "checked"}
            )
