"""Whether one rule has something to say about a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from agent.grounding.walk import leaves, schema_of
from agent.policy.compare import as_money
from agent.policy.model import Capability, Predicate, Rule
from agent.policy.request import Request, Used
from agent.principal import Role
from tools.origin import MODEL, Origin
from tools.registry import AnyTool

_INDEX = re.compile(r"\[\d+\]")


class Values:
    """Every value that a call is given, by path."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self._references: frozenset[str] | None = None
        found = leaves(self._arguments, {})
        self._all = [(leaf.path, _INDEX.sub("[*]", leaf.path), leaf.value) for leaf in found]
        self._found: dict[str, list[tuple[str, Any]]] = {}
        self._origins: dict[str, frozenset[Origin]] = {}

    def references(self, tool: AnyTool) -> frozenset[str]:
        """Paths of those that name a thing by its identifier."""
        if self._references is None:
            found = leaves(self._arguments, schema_of(tool.arguments, "validation"))
            self._references = frozenset(leaf.path for leaf in found if (leaf.mark or "").startswith("ref:"))
        return self._references

    def at(self, path: str) -> list[tuple[str, Any]]:
        """Those at `path` and below it, each with its own path: `lines[*].price`, `lines`, or `*` for all."""
        found = self._found.get(path)
        if found is None:
            found = self._found[path] = [
                (exact, value)
                for exact, general, value in self._all
                if path in ("*", general) or general.startswith((f"{path}.", f"{path}["))
            ]
        return found

    def origins(self, path: str, known: Mapping[str, Origin]) -> frozenset[Origin]:
        """Where what is at `path` comes from; a value without an origin counts as made up."""
        found = self._origins.get(path)
        if found is None:
            found = self._origins[path] = frozenset(known.get(exact, MODEL) for exact, _ in self.at(path))
        return found


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
        and all(_holds(predicate, values.at(path)) for path, predicate in rule.when.items())
        and (not rule.require_origin or _comes_from_elsewhere(rule, request, values))
        and (not rule.unless_origin or not _comes_from_there(rule, request, values))
        and (rule.unless_named is None or any(True for _ in unnamed(rule, request, values)))
        and (rule.one_of_several is None or any(True for _ in undecided(rule, request, values)))
        and (not rule.carries or any(True for _ in carrying(rule, request, values)))
        and (rule.limit is None or _beyond(rule, values, used))
    )


def _comes_from_elsewhere(rule: Rule, request: Request, values: Values) -> bool:
    return any(
        not is_among(origin, wanted)
        for path, wanted in rule.require_origin.items()
        for origin in values.origins(path, request.origins)
    )


def _comes_from_there(rule: Rule, request: Request, values: Values) -> bool:
    return all(
        values.at(path) and all(is_among(origin, wanted) for origin in values.origins(path, request.origins))
        for path, wanted in rule.unless_origin.items()
    )


def unnamed(rule: Rule, request: Request, values: Values) -> Iterator[str]:
    """Paths of references that the rule wants named, and that nobody did."""
    references = values.references(request.tool)
    for path in rule.unless_named or ():
        for exact, _ in values.at(path):
            if exact in references and exact not in request.named:
                yield exact


def undecided(rule: Rule, request: Request, values: Values) -> Iterator[str]:
    """Paths of references that the rule watches, and that nobody chose among several."""
    for path in rule.one_of_several or ():
        for exact, _ in values.at(path):
            if exact in request.undecided:
                yield exact


def carrying(rule: Rule, request: Request, values: Values) -> Iterator[tuple[str, Origin]]:
    """Paths of texts that hold what the rule looks for, and where that comes from."""
    for path, wanted in rule.carries.items():
        for exact, _ in values.at(path):
            for origin in request.carried.get(exact, ()):
                if is_among(origin, wanted):
                    yield exact, origin


def misplaced(rule: Rule, request: Request, values: Values) -> Iterator[str]:
    """Paths of arguments that do not come from where the rule wants them from."""
    for path, wanted in rule.require_origin.items():
        for exact, _ in values.at(path):
            origin = request.origins.get(exact, MODEL)
            if not is_among(origin, wanted):
                yield exact


def is_among(origin: Origin, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns is the origin's."""
    return any(is_origin(origin, pattern) for pattern in patterns)


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


def _holds(predicate: Predicate, values: Sequence[tuple[str, Any]]) -> bool:
    if predicate.present is not None and predicate.present != bool(values):
        return False
    tests = predicate.tests
    if len(tests) == 1:
        [test] = tests
        return any(test(value) for _, value in values)
    return not tests or any(all(test(value) for test in tests) for _, value in values)


# ------------------------------------------------------------ limits


def money_at(values: Values, path: str, currency: str) -> int | None:
    """The money at `path`, added up, in minor units; None for none, and for any in another currency."""
    found = [as_money(value) for _, value in values.at(path)]
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
