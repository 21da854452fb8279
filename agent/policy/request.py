"""What policy is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from agent.principal import DEFAULT_TENANT, Role
from tools.origin import Origin
from tools.registry import AnyTool

Decision = Literal["allow", "ask", "refuse"]
MILDEST_FIRST: tuple[Decision, ...] = get_args(Decision)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, by which rule, and why; `reason` may be shown to the model and to people."""

    decision: Decision
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Request:
    """A validated call.

    Attributes:
        origins: Of each argument, by its path; one that is missing counts as made up.
        blocked: What a tool found that forbids effects in this run, or empty.
        read: What was read before: origins of untrusted text, and names of tools that answered.
        named: Paths of the references that the user named, or that the conversation made.
        undecided: Paths of the references that are one of several which were found, and the user has not said which.
        carried: By the path of a text among the arguments: where the values that it holds come from.
    """

    tool: AnyTool
    arguments: Mapping[str, Any]
    origins: Mapping[str, Origin]
    roles: frozenset[Role]
    blocked: str = ""
    tenant_id: str = DEFAULT_TENANT
    read: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    carried: Mapping[str, frozenset[Origin]] = field(default_factory=dict[str, frozenset[Origin]])
    undecided: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a limit is used up: calls, and money in minor units of the limit's currency."""

    calls: int = 0
    minor: int = 0


def strictest(one: Decision, other: Decision) -> Decision:
    return one if MILDEST_FIRST.index(one) > MILDEST_FIRST.index(other) else other


def mildest(one: Decision, other: Decision) -> Decision:
    return other if strictest(one, other) == one else one
