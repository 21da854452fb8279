"""An order as the lines of its invoice: what was ordered, and each discount and charge as a line of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP

from tools.invoicing.base import DraftLine
from tools.money import Money
from tools.orders.findings import quoted
from tools.orders.order import AllowanceCharge, Order, OrderLine
from tools.orders.records import ProductFacts, Records, product_of
from tools.quantity import Quantity


def billable(order: Order, records: Records) -> tuple[DraftLine, ...] | None:
    """The invoice's lines; None where a line names no product of ours, no valid quantity, or another currency.

    The tax is that of our product; a discount or charge on the whole takes the rate it states, else the commonest.
    """
    lines: list[DraftLine] = []
    for line in order.lines:
        product = product_of(line, records.products)
        if product is None or product.price.currency != order.currency:
            return None
        try:
            lines.extend(_lines(line, product))
        except ValueError:  # no quantity that an invoice can state
            return None
    if not lines:
        return None
    rate_bp = Counter(line.tax_rate_bp for line in lines).most_common(1)[0][0]
    return (
        *lines,
        *(_extra(entry, order.currency, _rate(entry, rate_bp)) for entry in order.allowances if entry.amount),
    )


def _lines(line: OrderLine, product: ProductFacts) -> Iterator[DraftLine]:
    if line.quantity is None:
        raise ValueError("no quantity")
    currency = product.price.currency
    exact = line.unit_price if line.unit_price is not None else product.price.decimal
    yield DraftLine(
        description=f"{product.sku} {product.name}",
        quantity=Quantity.of(line.quantity),
        unit=product.unit,
        unit_price=Money.of(exact, currency),
        net=Money.of(line.quantity * exact, currency),
        tax_rate_bp=product.tax_rate_bp,
        product_id=product.id,
    )
    for entry in line.allowances:
        if entry.amount:
            yield _extra(entry, currency, product.tax_rate_bp, of=product.sku)


def _extra(entry: AllowanceCharge, currency: str, rate_bp: int, *, of: str = "") -> DraftLine:
    value = Money.of(entry.signed, currency)
    reason = quoted(entry.reason) or ("Charge" if entry.charge else "Discount")
    return DraftLine(
        description=f"{reason} on {of}" if of else reason,
        quantity=Quantity(1000),
        unit="C62",
        unit_price=value,
        net=value,
        tax_rate_bp=rate_bp,
    )


def _rate(entry: AllowanceCharge, otherwise: int) -> int:
    percent = entry.tax.percent if entry.tax else None
    return otherwise if percent is None else int((percent * 100).to_integral_value(ROUND_HALF_UP))
