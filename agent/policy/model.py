"""The form of `policy.yaml`. `policy.schema.json` beside this file is generated from it, for editors.

A list that is left out means everything; an empty list is an error, so that nothing is widened by deleting a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from agent.policy.compare import tests_of
from agent.policy.request import Decision
from agent.principal import Role
from tools.money import Money
from tools.origin import Origin
from tools.registry import Effect

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
RESERVED = frozenset({"role_may_use_tool", "ask_before_untrusted_addresses"})
MAX_RULES = 1_000

Scalar = str | bool | int | float


def _money(text: str) -> str:
    return str(Money.parse(text))


def _bound(value: Any) -> Any:
    if isinstance(value, str):
        return _money(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("neither an amount like 100.00 EUR nor a number")
    return value


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


def _origin(text: str) -> str:
    if "(" in text and not text.endswith(")"):
        raise ValueError(f"{text!r} lacks its closing bracket; an origin is like 'user' or 'record(customer.*)'")
    return str(Origin.parse(text))


MoneyText = Annotated[str, AfterValidator(_money), Field(pattern=r"^-?\d+(\.\d+)? [A-Z]{3}$", examples=["100.00 EUR"])]
Bound = Annotated[MoneyText | int | float, BeforeValidator(_bound)]
Regex = Annotated[str, AfterValidator(_regex), Field(max_length=1_000)]
OriginPattern = Annotated[str, AfterValidator(_origin), Field(examples=["user", "record(customer.*)"])]
Path = Annotated[
    str, Field(pattern=r"^(\*|\w+(\[\*\])?(\.\w+(\[\*\])?)*)$", examples=["customer", "lines[*].unit_price"])
]
ToolName = Annotated[str, Field(pattern=r"^[\w*?]+$", description="A tool, or a pattern like `send_*`.")]
Tools = Annotated[list[ToolName], Field(min_length=1)] | None
Effects = Annotated[list[Effect], Field(min_length=1)] | None
Roles = Annotated[list[Role], Field(min_length=1)]
Tenants = Annotated[list[str], Field(min_length=1)] | None


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Capability(Part):
    """What holders of a role may do: use the tools of these names and effects, at these companies."""

    roles: Roles
    tools: Tools = None
    effects: Effects = None
    tenants: Tenants = None
    verdict: Decision


class Predicate(Part):
    """What an argument must be for its rule to speak; of several conditions all. Of several values, as in
    `lines[*].price`, one is enough."""

    eq: Scalar | None = None
    in_: Annotated[list[Scalar] | None, Field(alias="in", min_length=1)] = None
    not_in: Annotated[list[Scalar] | None, Field(min_length=1)] = None
    lt: Bound | None = None
    lte: Bound | None = None
    gt: Bound | None = None
    gte: Bound | None = None
    matches: Annotated[Regex | None, Field(description="The whole value, as Python's `re.fullmatch`.")] = None
    not_matches: Regex | None = None
    present: Annotated[bool | None, Field(description="Whether the argument is given at all.")] = None

    @cached_property
    def tests(self) -> list[Callable[[Any], bool]]:
        """Made once: a policy is asked often."""
        return tests_of(self)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(
                "says nothing; give one of eq, in, not_in, lt, lte, gt, gte, matches, not_matches, present"
            )
        return self


class Limit(Part):
    """How often, or for how much, within a time: reads are not counted, for the ledger does not hold them."""

    within: Annotated[str, Field(pattern=r"^[1-9]\d{0,5}[smhd]$", examples=["1h", "7d"])]
    per: Annotated[list[Literal["tenant", "user", "tool", "run"]], Field(min_length=1)] = ["tenant"]
    calls: Annotated[int | None, Field(ge=0)] = None
    total: MoneyText | None = None
    of: Annotated[Path | None, Field(description="With `total`: the argument that holds the money.")] = None

    @property
    def window(self) -> timedelta:
        return timedelta(**{_UNITS[self.within[-1]]: int(self.within[:-1])})

    @property
    def money(self) -> Money | None:
        return None if self.total is None else Money.parse(self.total)

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.calls is None) == (self.total is None):
            raise ValueError("give either calls or total")
        if (self.total is None) != (self.of is None):
            raise ValueError("total and of belong together: of is the argument whose money is added up")
        return self


class Rule(Part):
    """Speaks when everything that it says holds; then the call is asked about, or refused."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
    verdict: Literal["ask", "refuse"]
    reason: Annotated[str, Field(min_length=1, max_length=300, description="For the model and for people.")]
    tools: Tools = None
    effects: Effects = None
    roles: Annotated[Roles | None, Field(description="Binds everybody who holds one of them.")] = None
    tenants: Tenants = None
    when: Annotated[dict[Path, Predicate], Field(description="Conditions on arguments, by path.")] = {}
    require_origin: Annotated[
        dict[Path, Annotated[list[OriginPattern], Field(min_length=1)]],
        Field(description="The rule speaks when one of these arguments comes from elsewhere."),
    ] = {}
    unless_origin: Annotated[
        dict[Path, Annotated[list[OriginPattern], Field(min_length=1)]],
        Field(description="The rule is silent when all of these arguments are given, and come from there."),
    ] = {}
    unless_named: Annotated[
        list[Path] | None,
        Field(
            min_length=1,
            description="The rule is silent when the user named each reference at these paths, or the conversation made"
            " it; one that is left out is not asked about.",
        ),
    ] = None
    one_of_several: Annotated[
        list[Path] | None,
        Field(
            min_length=1,
            description="The rule speaks when a reference at one of these paths is one of several that a look-up found,"
            " and the user has not said which.",
        ),
    ] = None
    carries: Annotated[
        dict[Path, Annotated[list[OriginPattern], Field(min_length=1)]],
        Field(
            description="The rule speaks when one of these texts holds a value from there that the user never wrote."
        ),
    ] = {}
    after_reading: Annotated[
        list[str] | None,
        Field(min_length=1, description="Origins or tools: the rule speaks once one of them was read."),
    ] = None
    after_findings: Annotated[bool, Field(description="The rule speaks once a check has found what blocks.")] = False
    limit: Annotated[Limit | None, Field(description="The rule speaks when the call would go beyond it.")] = None


class PolicyFile(Part):
    """A whole policy."""

    version: Literal[1]
    capabilities: Annotated[list[Capability], Field(max_length=MAX_RULES)]
    rules: Annotated[list[Rule], Field(max_length=MAX_RULES)] = []

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names: Sequence[str] = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules are called {name!r}")
            if name in RESERVED:
                raise ValueError(f"the name {name!r} is taken")
        return self


def json_schema() -> dict[str, Any]:
    """For editors: what `policy.schema.json` holds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PolicyFile.model_json_schema(by_alias=True, mode="validation"),
        "title": "deskclerk policy",
    }
