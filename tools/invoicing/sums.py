"""Sums of an invoice. Source: EN 16931 BR-CO-10 to BR-CO-17: tax is worked out for each rate, not for each line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tools.invoicing.base import DraftLine
from tools.money import Money


@dataclass(frozen=True, slots=True)
class Sums:
    net: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class TaxOfRate:
    """`rate_bp` 1900 is 19 %."""

    rate_bp: int
    net_minor: int
    tax_minor: int


def sums(lines: Iterable[DraftLine], currency: str) -> Sums:
    """Net, tax and total of `lines`, which are all in `currency`."""
    rates = taxes((line.tax_rate_bp, line.net.minor) for line in lines)
    net = sum(each.net_minor for each in rates)
    tax = sum(each.tax_minor for each in rates)
    return Sums(Money(net, currency), Money(tax, currency), Money(net + tax, currency))


def taxes(lines: Iterable[tuple[int, int]]) -> list[TaxOfRate]:
    """For each rate the net of its lines and the tax on that; a line is rate (basis points) and net (minor units)."""
    bases: dict[int, int] = {}
    for rate_bp, net_minor in lines:
        bases[rate_bp] = bases.get(rate_bp, 0) + net_minor
    return [
        TaxOfRate(rate_bp, base, int((Decimal(base) * rate_bp / 10_000).to_integral_value(ROUND_HALF_UP)))
        for rate_bp, base in bases.items()
    ]
