"""Whether the order can be acted on at all: numbered, new, in force, with lines, in a currency we sell in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tools.orders.findings import Finding, blocking, info, quoted, warning
from tools.orders.order import Order
from tools.orders.records import Records

_MAX_NUMBER = 40  # characters
# Kinds of order that are invoiced as they come. Source: UNCL1001 105 purchase order, 220 order, 226 call-off order.
_INVOICED = frozenset({"", "105", "220", "226"})


def check_document(order: Order, records: Records, today: date) -> Iterator[Finding]:
    if order.source != "request":
        if not order.number:
            yield blocking(
                "order_without_number", "The order has no number, so nothing shows whether it is a duplicate."
            )
        elif len(order.number) > _MAX_NUMBER:
            yield blocking("order_without_number", f"What stands for its number is none: {quoted(order.number)!r}.")
        yield from _duplicate(order, records)
    if order.type_code not in _INVOICED:
        named = (
            "a consignment order (227), paid for when it is used"
            if order.type_code == "227"
            else (f"of type {quoted(order.type_code)}")
        )
        yield warning("order_type", f"The order is {named}: it may not be one to invoice now.")
    end = order.validity.end if order.validity else None
    if end is not None and end < today:
        yield blocking("order_expired", f"The order was valid until {end.isoformat()}; today is {today.isoformat()}.")
    if not order.lines:
        yield blocking("order_empty", "The order has no lines.")
    for line in order.unread_lines:
        yield blocking("line_unreadable", f"A line of the order was not understood: {quoted(line)!r}.")
    for note in order.unread:
        yield warning("not_read", note)


def _duplicate(order: Order, records: Records) -> Iterator[Finding]:
    if records.earlier is None:
        return
    if records.earlier.invoices:
        invoiced = ", ".join(records.earlier.invoices)
        yield blocking("duplicate_order", f"Order {order.number} of this customer is already invoiced: {invoiced}.")
    else:
        yield info("duplicate_order", f"Order {order.number} of this customer is on record, not yet invoiced.")


def check_currency(order: Order, records: Records) -> Iterator[Finding]:
    if not order.currency:
        if len(order.currencies) > 1:
            yield blocking("currency_mixed", f"The order uses several currencies: {', '.join(order.currencies)}.")
        else:
            yield blocking("currency_missing", "The order does not say its currency.")
        return
    if others := [currency for currency in order.currencies if currency != order.currency]:
        yield blocking("currency_mixed", f"The order is in {order.currency} but has amounts in {', '.join(others)}.")
    if order.currency not in records.currencies:
        sold = ", ".join(sorted(records.currencies)) or "no currency"
        yield blocking("currency_not_sold", f"The order is in {order.currency}; we sell in {sold}.")
    elif records.customer is not None and records.customer.currency != order.currency:
        account = f"the account of {records.customer.name} and its credit limit are in {records.customer.currency}"
        yield blocking("currency_differs", f"The order is in {order.currency}; {account}.")
