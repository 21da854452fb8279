"""Amounts as Stripe counts them, which is not always in ISO 4217's minor unit.

Source: https://docs.stripe.com/currencies (zero-decimal and three-decimal currencies, special cases)
"""

from __future__ import annotations

from decimal import Decimal

from tools.errors import Conflict
from tools.money import Money, decimals

_LIKE_NO_DECIMALS = frozenset(("MGA",))  # two decimals in ISO 4217, none at Stripe
_AS_IF_TWO_DECIMALS = frozenset(("ISK",))  # none in ISO 4217; Stripe kept the two it once had, and wants zeros there
_LAST_DIGIT_ZERO = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))  # three decimals, of which payments use two
_NOT_TAKEN = frozenset(("IQD", "LYD", "UGX", "UYI"))  # not at Stripe; for UGX its pages name two different units


def to_stripe(money: Money) -> int:
    """The amount in Stripe's unit.

    Raises:
        Conflict: Stripe does not take this currency, or not this amount exactly.
    """
    if money.currency in _NOT_TAKEN:
        raise Conflict(f"Stripe does not take {money.currency}.")
    amount = money.decimal.scaleb(places(money.currency))
    if amount != amount.to_integral_value() or (money.currency in _LAST_DIGIT_ZERO and amount % 10):
        raise Conflict(f"Stripe cannot take {money} exactly.")
    return int(amount)


def from_stripe(amount: int, currency: str) -> Money:
    """Money from an amount in Stripe's unit; `currency` as Stripe writes it, `eur`."""
    code = currency.upper()
    return Money.of(Decimal(amount).scaleb(-places(code)), code)


def places(currency: str) -> int:
    """Decimals of Stripe's unit."""
    if currency in _LIKE_NO_DECIMALS:
        return 0
    return 2 if currency in _AS_IF_TWO_DECIMALS else decimals(currency)
