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


def sums(lines: Iterable[DraftLine], currency: str) -> Sums:
    """Net, tax and total of `lines`, which are all in `currency`."""
    bases: dict[int, int] = {}
    for line in lines:
        bases[line.tax_rate_bp] = bases.get(line.tax_rate_bp, 0) + line.net.minor
    net = sum(bases.values())
    tax = sum(
        int((Decimal(base) * rate_bp / 10_000).to_integral_value(ROUND_HALF_UP)) for rate_bp, base in bases.items()
    )
    return Sums(Money(net, currency), Money(tax, currency), Money(net + tax, currency))
