"""Whether one rule has something to say about a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any

from agent.grounding.walk import leaves
from agent.policy.model import Bound, Capability, Predicate, Rule, Scalar
from agent.policy.request import Request, Used
from agent.principal import Role
from tools.money import Money
from tools.origin import MODEL, Origin
from tools.registry import AnyTool

Values = Sequence[tuple[str, str, Any]]
"""An argument's path, the same with `[*]` for each index, and its value."""

_INDEX = re.compile(r"\[\d+\]")


def values_of(arguments: Mapping[str, Any]) -> Values:
    """Every value that a call is given."""
    return [(leaf.path, _INDEX.sub("[*]", leaf.path), leaf.value) for leaf in leaves(dict(arguments), {})]


def at(values: Values, path: str) -> Iterator[tuple[str, Any]]:
    """The values at `path` and below it, each with its own path; `*` names all."""
    for exact, general, value in values:
        if path in ("*", general) or general.startswith((f"{path}.", f"{path}[")):
            yield exact, value


def covers(part: Rule | Capability, tool: AnyTool) -> bool:
    """Whether `part` is about this tool."""
    named = part.tools is None or any(fnmatchcase(tool.name, name) for name in part.tools)
    return named and (part.effects is None or tool.effect in part.effects)


def binds(part: Rule | Capability, roles: frozenset[Role], tenant_id: str) -> bool:
    """Whether `part` is about holders of these roles, at this company."""
    return (part.roles is None or not roles.isdisjoint(part.roles)) and (
        part.tenants is None or tenant_id in part.tenants
    )


def speaks(rule: Rule, request: Request, values: Values, used: Used | None) -> bool:
    """Whether all that the rule says holds of a call of a tool, roles and a company that it is about."""
    return (
        (not rule.after_findings or bool(request.blocked))
        and (rule.after_reading is None or was_read(rule.after_reading, request.read))
        and all(_holds(predicate, [value for _, value in at(values, path)]) for path, predicate in rule.when.items())
        and (not rule.require_origin or any(True for _ in misplaced(rule, request, values)))
        and (rule.limit is None or _beyond(rule, values, used))
    )


def misplaced(rule: Rule, request: Request, values: Values) -> Iterator[str]:
    """Paths of arguments that do not come from where the rule wants them from."""
    for path, wanted in rule.require_origin.items():
        for exact, _ in at(values, path):
            origin = request.origins.get(exact, MODEL)
            if not any(is_origin(origin, pattern) for pattern in wanted):
                yield exact


def is_origin(origin: Origin, pattern: str) -> bool:
    """`record(customer.email)` is `record`, `record(customer.*)` and itself."""
    wanted = _parsed(pattern)
    return origin.kind == wanted.kind and (not wanted.detail or fnmatchcase(origin.detail, wanted.detail))


def was_read(wanted: Sequence[str], read: frozenset[str]) -> bool:
    """Whether something of `wanted`, origins or tools, is among what was read."""
    return any(fnmatchcase(one, entry) or one.startswith(f"{entry}(") for entry in wanted for one in read)


@lru_cache(maxsize=1_000)
def _parsed(pattern: str) -> Origin:
    return Origin.parse(pattern)


# ------------------------------------------------------------ arguments


def _holds(predicate: Predicate, values: Sequence[Any]) -> bool:
    if predicate.present is not None and predicate.present != bool(values):
        return False
    tests = _tests(predicate)
    return not tests or any(all(test(value) for test in tests) for value in values)


def _tests(predicate: Predicate) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    if (eq := predicate.eq) is not None:
        tests.append(lambda value: _same(value, eq))
    if (among := predicate.in_) is not None:
        tests.append(lambda value: any(_same(value, one) for one in among))
    if (outside := predicate.not_in) is not None:
        tests.append(lambda value: not any(_same(value, one) for one in outside))
    if (pattern := predicate.matches) is not None:
        tests.append(lambda value: _matches(pattern, value))
    if (other := predicate.not_matches) is not None:
        tests.append(lambda value: not _matches(other, value))
    bounds = ((predicate.lt, lt), (predicate.lte, le), (predicate.gt, gt), (predicate.gte, ge))
    tests += [_bounded(bound, fits) for bound, fits in bounds if bound is not None]
    return tests


def _bounded(bound: Bound, fits: Callable[[int, int], bool]) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        order = _order(value, bound)
        return True if order is None else fits(order, 0)  # what cannot be compared is not let through

    return test


def _order(value: Any, bound: Bound) -> int | None:
    """Below 0, 0 or above, as `value` is to `bound`; None for other currencies, and for what is no amount."""
    one: Money | Decimal | None
    if isinstance(bound, str):
        one, other = _as_money(value), Money.parse(bound)
        if one is None or one.currency != other.currency:
            return None
        return (one.minor > other.minor) - (one.minor < other.minor)
    one, than = _as_number(value), Decimal(str(bound))
    return None if one is None else (one > than) - (one < than)


def _same(value: Any, wanted: Scalar) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(wanted, str):
        return value == wanted or ((money := _as_money(value)) is not None and money == _as_money(wanted))
    return _as_number(value) == Decimal(str(wanted))


def _matches(pattern: str, value: Any) -> bool:
    return re.fullmatch(pattern, str(value), re.DOTALL) is not None


def _as_money(value: Any) -> Money | None:
    try:
        return Money.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _as_number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and not isinstance(value, bool) else None


# ------------------------------------------------------------ limits


def money_at(values: Values, path: str, currency: str) -> int | None:
    """The money at `path`, added up, in minor units; None for none, and for any in another currency."""
    found = [_as_money(value) for _, value in at(values, path)]
    amounts = [money.minor for money in found if money is not None and money.currency == currency]
    return sum(amounts) if amounts and len(amounts) == len(found) else None


def _beyond(rule: Rule, values: Values, used: Used | None) -> bool:
    """Whether the call goes beyond the rule's limit; so does one of which that cannot be told."""
    limit = rule.limit
    if limit is None or used is None:
        return True
    if limit.calls is not None:
        return used.calls + 1 > limit.calls
    total = limit.money
    amount = None if total is None or limit.of is None else money_at(values, limit.of, total.currency)
    return total is None or amount is None or used.minor + amount > total.minor
