"""The sums at the foot of a typed order, its tax, and discounts and charges on the whole of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from tools.documents.typed.layout import Line, joined
from tools.documents.typed.numbers import DecimalMark, amounts
from tools.orders.order import AllowanceCharge, Totals

_PERCENT = re.compile(r"\(?(\d{1,3}(?:[.,]\d{1,3})?)\s?%\)?")
_NO_SUM = re.compile(
    r"\b(?:days?|tage|jours|total\s+(?:quantity|qty|items?|lines?|units?|weight|pieces|number))\b", re.I
)
_DATES = re.compile(r"\b\d{4}-\d\d?-\d\d?\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"^(?:{words})(?=\W|$)", re.I))
    for kind, words in (
        ("lines", r"sub-?\s?total|zwischensumme|sous-total|sum\s+of\s+lines|goods\s+total|total\s+goods"),
        (
            "net",
            r"(?:total\s+)?net(?:\s+(?:total|amount|value))?|netto(?:betrag|summe)?|"
            r"total\s*\(?(?:excl|excluding|ex\.?|before|without)\b.*?(?:vat|tax)",
        ),
        (
            "tax",
            r"(?:total\s+|plus\s+|\+\s*)?(?:vat|sales\s+tax|tax|gst|mwst|ust|tva|moms|mva|iva|btw)"
            r"(?!\s*(?:id|no|number|reg))",
        ),
        ("discount", r"(?:less\s+)?(?:discount|rebate|rabatt|remise|allowance)"),
        (
            "charge",
            r"(?:plus\s+)?(?:shipping|freight|delivery(?:\s+(?:charge|cost|fee))?|handling|postage|surcharge|versand|"
            r"fracht|packaging)",
        ),
        (
            "payable",
            r"(?:grand|order|invoice|overall)?\s*total(?:\s+(?:amount|due|payable|sum|price|value|incl|including|"
            r"to\s+pay).*)?|amount\s+(?:due|payable)|gesamt(?:betrag|summe)?|summe|total\s+ttc|to\s+pay",
        ),
    )
)
_WHOLE = frozenset(("lines", "net", "payable"))  # sums that may be written without decimals and without a currency


@dataclass
class Foot:
    """What the foot says; amounts in major units."""

    lines: Decimal | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    payable: Decimal | None = None
    tax_percents: set[Decimal] = field(default_factory=set[Decimal])
    allowances: list[AllowanceCharge] = field(default_factory=list["AllowanceCharge"])
    currencies: set[str] = field(default_factory=set[str])
    rows: set[int] = field(default_factory=set[int])

    def totals(self) -> Totals:
        if self.lines is None and not self.allowances:
            return Totals(lines=self.net, tax_exclusive=self.net, payable=self.payable)
        return Totals(lines=self.lines, tax_exclusive=self.net, payable=self.payable)


def kind_of(text: str) -> str | None:
    """Which sum the label at the start of `text` names."""
    return next((kind for kind, pattern in _KINDS if pattern.match(text)), None)


def read_foot(lines: list[Line], mark: DecimalMark) -> Foot:
    """The sums on the page. A label counts where an amount follows it in its line; of two, the last one is meant."""
    foot = Foot()
    for row, line in enumerate(lines):
        for position, segment in enumerate(line):
            kind = kind_of(segment.text)
            if kind is not None and _take(foot, kind, joined(line[position:]), mark):
                foot.rows.add(row)
                break
    return foot


def _take(foot: Foot, kind: str, text: str, mark: DecimalMark) -> bool:
    if _NO_SUM.search(text):
        return False
    percent = _PERCENT.search(text)
    if percent and kind == "tax":
        foot.tax_percents.add(Decimal(percent[1].replace(",", ".")))
    text = _DATES.sub(" ", text)
    found = amounts(_PERCENT.sub(" ", text), mark)
    if not found:
        return False
    value, currency = found[-1]
    if not (currency or value.as_tuple().exponent == -2 or (kind in _WHOLE and text.rstrip()[-1:].isdigit())):
        return False
    if currency:
        foot.currencies.add(currency)
    rate = Decimal(percent[1].replace(",", ".")) if percent else None
    match kind:
        case "lines":
            foot.lines = value
        case "net":
            foot.net = value
        case "tax":
            foot.tax = (foot.tax or Decimal(0)) + value
        case "payable":
            foot.payable = value
        case _:
            label = re.split(r"[:\d(€£$]|\s{2,}", text, maxsplit=1)[0].strip()
            foot.allowances.append(
                AllowanceCharge(charge=kind == "charge", amount=abs(value), percent=rate, reason=label)
            )
    return True
