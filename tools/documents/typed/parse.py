"""Text to an order, as far as it goes. What is not understood is said, never guessed."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from tools.documents.typed.header import MENTIONS_ORDER, read_head
from tools.documents.typed.layout import split_page
from tools.documents.typed.numbers import decimal_mark
from tools.documents.typed.rows import read_rows
from tools.documents.typed.totals import read_foot
from tools.orders.order import Order, OrderLine, Period, Tax


def parse_typed_order(text: str) -> Order | None:
    """The order that `text` is; None when it does not speak of an order, or has neither a number nor lines."""
    if not MENTIONS_ORDER.search(text):
        return None
    page = split_page(text)
    mark = decimal_mark(text)
    head, foot = read_head(page), read_foot(page, mark)
    rows = read_rows(page, mark, frozenset(foot.rows))
    if not head.number and not rows.lines:
        return None
    currencies = {currency for currency in (head.currency, *foot.currencies, *rows.currencies) if currency}
    unread = list(head.unread)
    if not head.number:
        unread.append("No order number was found.")
    if not rows.lines:
        unread.append("No order lines were found.")
    if not currencies:
        unread.append("No currency was found.")
    return Order(
        source="text",
        number=head.number,
        issued_on=head.issued_on,
        currency=head.currency or (min(currencies) if len(currencies) == 1 else ""),
        currencies=tuple(sorted(currencies)),
        validity=Period(end=head.valid_until) if head.valid_until else None,
        buyer=head.buyer,
        seller=head.seller,
        payment_terms=(head.terms,) if head.terms else (),
        allowances=tuple(foot.allowances),
        tax_amount=foot.tax,
        totals=foot.totals(),
        lines=_taxed(rows.lines, foot.tax_percents),
        unread=tuple(unread),
        unread_lines=rows.unread,
    )


def _taxed(lines: tuple[OrderLine, ...], percents: Collection[Decimal]) -> tuple[OrderLine, ...]:
    """The lines with the one rate that the foot names; with several, which is whose is not known."""
    if len(percents) != 1:
        return lines
    tax = Tax(percent=next(iter(percents)), scheme="VAT")
    return tuple(line.model_copy(update={"item": line.item.model_copy(update={"tax": tax})}) for line in lines)
