"""An order in the few words that a small model needs of it."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel

from tools.customers import email_or_none
from tools.money import Money
from tools.orders.findings import amount, number, quoted
from tools.orders.order import AllowanceCharge, Order, OrderLine
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
    allowances: list[str] = []
    references: list[str] = []


def summarize(order: Order, *, more_lines: int = 0) -> OrderSummary:
    """`order`, short. What is not stated stays out; what does not fit its type (an odd currency) stays out too.

    Args:
        more_lines: Lines that the order has and `order.lines` has not.
    """
    buyer = order.buyer
    return OrderSummary(
        number=order.number,
        date=order.issued_on.isoformat() if order.issued_on else None,
        buyer=(buyer.called or None) if buyer else None,
        buyer_email=email_or_none(buyer.email) if buyer else None,
        buyer_tax_id=(buyer.tax_id or None) if buyer else None,
        currency=order.currency,
        lines=[_line(line, order.currency) for line in order.lines[:MAX_LINES]],
        more_lines=max(0, len(order.lines) - MAX_LINES) + more_lines,
        total=money_or_none(order.stated_total, order.currency),
        allowances=[_allowance(each, order.currency) for each in order.allowances[:MAX_LINES]],
        references=[f"{each.kind} {each.id}" for each in order.references[:MAX_LINES]],
    )


def _allowance(entry: AllowanceCharge, currency: str) -> str:
    what = "charge" if entry.charge else "discount"
    return f"{what} of {amount(entry.amount, currency)}{f' ({reason})' if (reason := quoted(entry.reason)) else ''}"


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
