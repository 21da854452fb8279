"""Whether the customer may owe us this much more."""

from __future__ import annotations

from collections.abc import Iterator

from tools.money import Money
from tools.orders.findings import Finding, blocking
from tools.orders.records import Records


def check_limit(total: Money, records: Records) -> Iterator[Finding]:
    """`total` is what the order would be invoiced at, tax included."""
    credit = records.credit
    if credit is None or credit.limit.currency != total.currency:
        return  # unknown customer or foreign currency: other rules block those
    after = Money(credit.open.minor + total.minor, total.currency)
    if after.minor > credit.limit.minor:
        together = f"Open invoices of {credit.open} and this order of {total} come to {after}"
        yield blocking("over_credit_limit", f"{together}; the credit limit is {credit.limit}.")
