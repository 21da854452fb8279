"""Numbers and currencies as people write them: `1,234.50`, `1.234,50`, `€ 1 234,50`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from tools.money import ISO_4217

DecimalMark = Literal[".", ","]

_GROUP = r"[.,'\u2019\u00a0\u202f ]"
NUMBER = rf"\d{{1,3}}(?:{_GROUP}\d{{3}})+(?:[.,]\d{{1,4}})?(?!\d)|\d{{1,12}}(?:[.,]\d{{1,6}})?(?!\d)"
SYMBOLS = {"€": "EUR", "£": "GBP", "US$": "USD", "$": "USD", "¥": "JPY", "zł": "PLN", "Kč": "CZK"}
_CODE = r"[A-Z]{3}"
CURRENCY = "|".join([*(re.escape(symbol) for symbol in sorted(SYMBOLS, key=len, reverse=True)), _CODE])
AMOUNT = re.compile(rf"(?:(?<![A-Za-z])({CURRENCY})\s?)?(?<![\w.,-])(-?)({NUMBER})(?:\s?({CURRENCY})(?![A-Za-z]))?")
_BARE_COMMA = re.compile(r"(?<![\d.,])\d[\d.'\u00a0\u202f ]*,\d{2}(?![\d.,])")
_BARE_POINT = re.compile(r"(?<![\d.,])\d[\d,'\u00a0\u202f ]*\.\d{2}(?![\d.,])")


def decimal_mark(text: str) -> DecimalMark:
    """The mark that most numbers with two decimals use; a point where none has any."""
    return "," if len(_BARE_COMMA.findall(text)) > len(_BARE_POINT.findall(text)) else "."


def to_decimal(number: str, mark: DecimalMark) -> Decimal:
    """The value of what `NUMBER` matched.

    A single group of three after the other mark is thousands: "1,250" is 1250 where decimals have a point.
    """
    kept = "".join(character for character in number if character.isdigit() or character == mark)
    whole, _, fraction = kept.partition(mark)
    if mark in fraction:  # "1.234.567" where the mark is a point: the groups were thousands after all
        return Decimal((whole + fraction).replace(mark, ""))
    return Decimal(f"{whole}.{fraction}" if fraction else whole)


def currency_code(written: str | None) -> str:
    """ISO 4217 code of a symbol or a code; empty for letters that are neither."""
    if not written:
        return ""
    return SYMBOLS.get(written) or (written if written in ISO_4217 else "")


def amounts(text: str, mark: DecimalMark) -> list[tuple[Decimal, str]]:
    """Every amount in `text` with its currency, which is empty where none is written beside it."""
    found: list[tuple[Decimal, str]] = []
    for match in AMOUNT.finditer(text):
        before, sign, number, after = match.groups()
        value = to_decimal(number, mark)
        found.append((-value if sign else value, currency_code(before) or currency_code(after)))
    return found
