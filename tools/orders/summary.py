"""An order in the few words that a small model needs of it."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel

from tools.customers import email_or_none
from tools.money import Money
from tools.orders.findings import amount, number
from tools.orders.order import Order, OrderLine
from tools.values import Email

MAX_LINES = 12  # shown; every one is checked and invoiced


class LineSummary(BaseModel):
    """One line; `price` is for one unit, which may have more decimals than money has."""

    sku: str
    name: str
    quantity: str
    price: str | None = None
    amount: Money | None = None


class OrderSummary(BaseModel):
    """A purchase order; `total` is what it says is to be paid, tax included."""

    number: str
    date: str | None = None
    buyer: str | None = None
    buyer_email: Email | None = None
    buyer_tax_id: str | None = None
    currency: str
    lines: list[LineSummary]
    more_lines: int = 0
    total: Money | None = None


def summarize(order: Order) -> OrderSummary:
    """`order`, short. What is not stated stays out; what does not fit its type (an odd currency) stays out too."""
    buyer = order.buyer
    return OrderSummary(
        number=order.number,
        date=order.issued_on.isoformat() if order.issued_on else None,
        buyer=(buyer.called or None) if buyer else None,
        buyer_email=email_or_none(buyer.email) if buyer else None,
        buyer_tax_id=(buyer.tax_id or None) if buyer else None,
        currency=order.currency,
        lines=[_line(line, order.currency) for line in order.lines[:MAX_LINES]],
        more_lines=max(0, len(order.lines) - MAX_LINES),
        total=money_or_none(order.stated_total, order.currency),
    )


def _line(line: OrderLine, currency: str) -> LineSummary:
    quantity = number(line.quantity) if line.quantity is not None else ""
    return LineSummary(
        sku=line.item.seller_id,
        name=line.item.name or line.item.description,
        quantity=f"{quantity} {line.unit}".strip(),
        price=amount(line.unit_price, currency) if line.unit_price is not None else None,
        amount=money_or_none(line.amount if line.amount is not None else line.expected_amount, currency),
    )


def money_or_none(value: Decimal | None, currency: str) -> Money | None:
    if value is None:
        return None
    try:
        return Money.of(value, currency)
    except ValueError:
        return None
