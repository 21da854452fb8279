"""Dates as people write them. A date that could be two days is none."""

from __future__ import annotations

import re
from datetime import date
from email.utils import parsedate_to_datetime

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NUMERIC = re.compile(r"\b(\d{1,2})([./-])(\d{1,2})\2(\d{4})\b")
_ISO = re.compile(r"\b(\d{4})[-/](\d{1,2})[-/](\d{1,2})\b")
_DAY_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\.?\s+([A-Za-z]{3})[a-z]*\.?,?\s+(\d{4})\b", re.I)
_MONTH_DAY = re.compile(r"\b([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b", re.I)


def read_date(text: str) -> date | None:
    """The first date in `text`; None for none, and for one like 03/04/2026 that is two days in two countries."""
    try:
        if match := _ISO.search(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _DAY_MONTH.search(text):
            return _named(match[3], match[2], match[1])
        if match := _MONTH_DAY.search(text):
            return _named(match[3], match[1], match[2])
        if match := _NUMERIC.search(text):
            return _numeric(int(match[1]), match[2], int(match[3]), int(match[4]))
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError):  # no such day; not the date of a mail
        return None


def _named(year: str, month: str, day: str) -> date | None:
    name = month.lower()
    return date(int(year), _MONTHS.index(name) + 1, int(day)) if name in _MONTHS else None


def _numeric(first: int, mark: str, second: int, year: int) -> date | None:
    """With points it is day.month, as where points are used; else only what can be read one way."""
    if mark == "." or first > 12 or first == second:
        return date(year, second, first)
    return date(year, first, second) if second > 12 else None
