"""An order against itself and against our records. Findings, no decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext

from tools.invoicing.sums import Sums, sums
from tools.money import Money
from tools.orders.billing import billable
from tools.orders.findings import Finding, amount, warning
from tools.orders.order import Order
from tools.orders.records import Records
from tools.orders.rules.catalogue import check_lines
from tools.orders.rules.document import check_currency, check_document
from tools.orders.rules.limit import check_limit
from tools.orders.rules.parties import check_parties
from tools.orders.rules.sums import check_sums

_DIGITS = 60  # of an exact sum: amounts and quantities have 15 before the point, lines are thousands
_CURRENCY = re.compile(r"[A-Z]{3}")
_RANK = {"blocking": 0, "warning": 1, "info": 2}


def check(order: Order, records: Records, *, today: date) -> list[Finding]:
    """Everything that is to be said about `order` as of `today` (UTC), gravest first.

    Args:
        records: Of the customer it is taken to be from; without a customer that alone is blocking.
    """
    with localcontext(prec=_DIGITS):
        findings = [
            *check_parties(order, records),
            *check_document(order, records, today),
            *check_currency(order, records),
            *check_lines(order, records),
            *check_sums(order),
        ]
        invoice = invoice_sums(order, records)
        if invoice is not None:
            findings += _our_tax(order, invoice)
            findings += check_limit(invoice.total, records)
    return sorted(findings, key=lambda finding: _RANK[finding.severity])


def invoice_sums(order: Order, records: Records) -> Sums | None:
    """What an invoice of the order would come to; what the order says of itself where that cannot be told."""
    if not _CURRENCY.fullmatch(order.currency):
        return None
    lines = billable(order, records)
    if lines is not None:
        return sums(lines, order.currency)
    net = Money.of(order.net_total, order.currency)
    total = Money.of(order.stated_total, order.currency) if order.stated_total is not None else net
    return Sums(net, Money(total.minor - net.minor, order.currency), total)


def _our_tax(order: Order, invoice: Sums) -> Iterator[Finding]:
    """The net agrees, so does the order with itself, but it was worked out with other tax than ours."""
    stated, tax = order.stated_total, order.tax_amount
    if stated is None or tax is None or Money.of(order.net_total, order.currency) != invoice.net:
        return
    gross = stated + (order.totals.prepaid or Decimal(0)) - (order.totals.rounding or Decimal(0))
    if gross == order.net_total + tax and Money.of(gross, order.currency) != invoice.total:
        stated_tax = amount(tax, order.currency)
        yield warning(
            "tax_differs",
            f"With our tax the invoice comes to {invoice.total} ({invoice.tax} of tax); the order expects "
            f"{amount(gross, order.currency)} ({stated_tax} of tax).",
        )
