"""What a check finds. It decides nothing; but code drafts no invoice from an order with a blocking finding."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.money import decimals

Severity = Literal["blocking", "warning", "info"]
FindingCode = Literal[
    "unknown_customer",
    "inactive_customer",
    "buyer_not_stated",
    "buyer_differs",
    "buyer_details_differ",
    "order_without_number",
    "order_empty",
    "order_expired",
    "order_type",
    "duplicate_order",
    "line_unreadable",
    "not_read",
    "currency_missing",
    "currency_mixed",
    "currency_not_sold",
    "currency_differs",
    "unknown_product",
    "inactive_product",
    "product_currency_differs",
    "product_matched_by_name",
    "product_number_differs",
    "price_differs",
    "price_missing",
    "quantity_missing",
    "quantity_invalid",
    "unit_differs",
    "line_total_wrong",
    "line_repeated",
    "allowance_wrong",
    "discount_not_agreed",
    "charge_stated",
    "prepayment_stated",
    "tax_differs",
    "total_missing",
    "total_wrong",
    "over_credit_limit",
]


class Finding(BaseModel):
    """One thing that a person should know, with its numbers."""

    model_config = ConfigDict(frozen=True)

    code: FindingCode
    severity: Severity
    message: str


def blocking(code: FindingCode, message: str) -> Finding:
    return Finding(code=code, severity="blocking", message=message)


def warning(code: FindingCode, message: str) -> Finding:
    return Finding(code=code, severity="warning", message=message)


def info(code: FindingCode, message: str) -> Finding:
    return Finding(code=code, severity="info", message=message)


def blocks(findings: Iterable[Finding]) -> list[Finding]:
    """Those that forbid an invoice."""
    return [finding for finding in findings if finding.severity == "blocking"]


MAX_QUOTED = 40  # characters of the document's own words that a message repeats


def quoted(text: str) -> str:
    """The document's words, one line of them and short: a message goes to a model, and anyone may have written them."""
    words = " ".join(text.split())
    return words if len(words) <= MAX_QUOTED else f"{words[: MAX_QUOTED - 3]}..."


def amount(value: Decimal, currency: str) -> str:
    """An exact amount as people write it: at least the currency's decimals, more only where it has more."""
    places = max(decimals(currency), -int(value.normalize().as_tuple().exponent))
    return f"{value:.{min(places, 6)}f} {currency}".strip()


def number(value: Decimal) -> str:
    """A number without exponent and without zeros that say nothing."""
    return f"{value.normalize():f}"
