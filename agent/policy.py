"""May this call run? Deny by default; the strictest verdict wins; a refusal cannot be approved away.

Two layers. Capabilities (role x effect) decide what a role is shown at all; rules look at one call. Both are data, so
a policy file can take their place without the graph noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.principal import Role
from tools.origin import Origin
from tools.registry import AnyTool, Effect

Decision = Literal["allow", "ask", "refuse"]
MILDEST_FIRST: tuple[Decision, ...] = ("allow", "ask", "refuse")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, by which rule, and why; `reason` may be shown to the model and to people."""

    decision: Decision
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Request:
    """A validated call. `blocked` says what a tool found that forbids effects in this run, or is empty."""

    tool: AnyTool
    arguments: Mapping[str, Any]
    origins: Mapping[str, Origin]
    roles: frozenset[Role]
    blocked: str = ""


Rule = Callable[[Request], Verdict | None]

# What a role may do by itself, and what it may do once a person who decides has agreed. What is not here is refused.
CAPABILITIES: Mapping[Role, Mapping[Effect, Decision]] = {
    "viewer": {"read": "allow"},
    "clerk": {"read": "allow", "write": "allow", "money": "ask", "send": "ask"},
    "approver": {"read": "allow"},
    "admin": {"read": "allow", "write": "allow", "money": "ask", "send": "ask"},
}
DECIDES: frozenset[Role] = frozenset({"approver", "admin"})


def capability(roles: Iterable[Role], effect: Effect) -> Decision:
    """What holders of these roles together may do: the most that one of them may."""
    granted = [CAPABILITIES[role][effect] for role in roles if effect in CAPABILITIES[role]]
    for decision in MILDEST_FIRST:
        if decision in granted:
            return decision
    return "refuse"


def role_may_use_tool(request: Request) -> Verdict:
    """Capabilities, at the tool's door."""
    effect = request.tool.effect
    decision = capability(request.roles, effect)
    reason = {
        "allow": f"This role may use tools with effect {effect}.",
        "ask": f"A person decides about every call with effect {effect}.",
        "refuse": f"This role may not use tools with effect {effect}.",
    }[decision]
    return Verdict(decision, "role_may_use_tool", reason)


def no_effects_after_blocking_findings(request: Request) -> Verdict | None:
    """What a check has found stands until the person's next turn; no text can lift it."""
    if request.blocked and request.tool.effect != "read":
        return Verdict("refuse", "no_effects_after_blocking_findings", request.blocked)
    return None


def ask_before_untrusted_addresses(request: Request) -> Verdict | None:
    """What is in an address leaves with the call, so one that strangers wrote is a way to send."""
    if request.tool.egress is None:
        return None
    if (origin := request.origins.get(request.tool.egress)) is not None and not origin.untrusted:
        return None
    return Verdict("ask", "ask_before_untrusted_addresses", "A person decides whether this address is gone to.")


RULES: tuple[Rule, ...] = (role_may_use_tool, no_effects_after_blocking_findings, ask_before_untrusted_addresses)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force."""

    rules: Sequence[Rule] = RULES

    def may_see(self, tool: AnyTool, roles: frozenset[Role]) -> bool:
        """Whether the tool may be in this role's prompt at all. The same for the whole run, so prefixes are stable."""
        return capability(roles, tool.effect) != "refuse"

    def offers(self, tool: AnyTool, roles: frozenset[Role], *, blocked: str) -> bool:
        """Whether the model may ask for the tool now."""
        return self.may_see(tool, roles) and (not blocked or tool.effect == "read")

    def decide(self, request: Request) -> Verdict:
        """The strictest verdict of all rules; `refuse` when none speaks."""
        verdicts = [verdict for rule in self.rules if (verdict := rule(request)) is not None]
        return max(
            verdicts,
            key=lambda verdict: MILDEST_FIRST.index(verdict.decision),
            default=Verdict("refuse", "deny_by_default", "No rule allows this call."),
        )
