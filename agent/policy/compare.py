"""Values of arguments against what a predicate says: text, numbers, and money in its currency."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from tools.money import Money

if TYPE_CHECKING:
    from agent.policy.model import Bound, Predicate, Scalar

MAX_KEPT = 1_000  # values whose form was looked at
LONGEST = 40  # characters of an amount


def tests_of(predicate: Predicate) -> list[Callable[[Any], bool]]:
    """Each thing that a predicate says of a value; a value must pass all."""
    tests: list[Callable[[Any], bool]] = []
    if (eq := predicate.eq) is not None:
        tests.append(lambda value: _same(value, eq))
    if (among := predicate.in_) is not None:
        tests.append(lambda value: any(_same(value, one) for one in among))
    if (outside := predicate.not_in) is not None:
        tests.append(lambda value: not any(_same(value, one) for one in outside))
    if (pattern := predicate.matches) is not None:
        tests.append(_matching(pattern))
    if (other := predicate.not_matches) is not None:
        fits_other = _matching(other)
        tests.append(lambda value: not fits_other(value))
    bounds = ((predicate.lt, lt), (predicate.lte, le), (predicate.gt, gt), (predicate.gte, ge))
    tests += [_bounded(bound, fits) for bound, fits in bounds if bound is not None]
    return tests


def _bounded(bound: Bound, fits: Callable[[Any, Any], bool]) -> Callable[[Any], bool]:
    """What cannot be compared, like an amount in another currency, passes: a rule then speaks, and nothing slips by."""
    if isinstance(bound, str):
        money = Money.parse(bound)

        def test(value: Any) -> bool:
            one = as_money(value)
            return True if one is None or one.currency != money.currency else fits(one.minor, money.minor)

    else:
        number = Decimal(str(bound))

        def test(value: Any) -> bool:
            one = _as_number(value)
            return True if one is None else fits(one, number)

    return test


def _same(value: Any, wanted: Scalar) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(wanted, str):
        return value == wanted or ((money := as_money(value)) is not None and money == as_money(wanted))
    return _as_number(value) == Decimal(str(wanted))


def _matching(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda value: compiled.fullmatch(str(value)) is not None


def as_money(value: Any) -> Money | None:
    """The money that a value is; None for anything else."""
    return _parsed(value) if isinstance(value, str) and len(value) <= LONGEST else None


@lru_cache(maxsize=MAX_KEPT)
def _parsed(text: str) -> Money | None:
    try:
        return Money.parse(text)
    except ValueError:
        return None


def _as_number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and not isinstance(value, bool) else None
