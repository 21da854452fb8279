"""The verdict: deterministic, synchronous, the strictest of all that speak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import reduce

from agent.policy.match import Values, binds, covers, speaks, was_read
from agent.policy.model import Capability, PolicyFile, Rule
from agent.policy.request import MILDEST_FIRST, Decision, Request, Used, Verdict, mildest, strictest
from agent.principal import DEFAULT_TENANT, Role
from tools.registry import AnyTool

DECIDES: frozenset[Role] = frozenset({"approver", "admin"})
CAPABILITY = "role_may_use_tool"  # the name under which capabilities speak
EGRESS = "ask_before_untrusted_addresses"  # holds under every policy
NOTHING: Mapping[str, Used] = {}

_REASONS: Mapping[Decision, str] = {
    "allow": "This role may use {tool} (effect {effect}).",
    "ask": "A person decides about every call of {tool} (effect {effect}).",
    "refuse": "This role may not use {tool} (effect {effect}).",
}


class Policy:
    """The rules in force.

    Args:
        data: As it was validated; `load_policy` reads it from a file.
        source: Where it came from, for people.
    """

    def __init__(self, data: PolicyFile, *, source: str = "") -> None:
        self.data = data
        self.source = source
        self._capabilities: dict[str, list[Capability]] = {}
        self._rules: dict[str, list[Rule]] = {}
        self._names = frozenset({CAPABILITY, EGRESS, *(rule.name for rule in data.rules)})

    def has(self, name: str) -> bool:
        """Whether a rule of this policy is called `name`."""
        return name in self._names

    def names(self, tool: str) -> bool:
        """Whether a capability was written with this tool in mind: it names it, or a pattern that it fits."""
        return any(fnmatchcase(tool, name) for part in self.data.capabilities for name in part.tools or ())

    # ------------------------------------------------------------ before there is a call

    def capability(self, tool: AnyTool, roles: Iterable[Role], *, tenant_id: str = DEFAULT_TENANT) -> Decision:
        """What holders of these roles together may do: the most that one of them may; nothing granted is refused."""
        granted: list[Decision] = [self._granted(tool, role, tenant_id) for role in roles]
        return reduce(mildest, granted, "refuse")

    def may_see(self, tool: AnyTool, roles: frozenset[Role], *, tenant_id: str = DEFAULT_TENANT) -> bool:
        """Whether the tool may be in this role's prompt at all. The same for the whole run, so prefixes are stable."""
        if self.capability(tool, roles, tenant_id=tenant_id) == "refuse":
            return False
        return not any(
            rule.verdict == "refuse" and always(rule) and binds(rule, roles, tenant_id)
            for rule in self.rules_about(tool)
        )

    def offers(
        self,
        tool: AnyTool,
        roles: frozenset[Role],
        *,
        blocked: str,
        tenant_id: str = DEFAULT_TENANT,
        read: frozenset[str] = frozenset(),
    ) -> bool:
        """Whether the model may ask for the tool now, with whatever arguments."""
        return self.may_see(tool, roles, tenant_id=tenant_id) and not any(
            rule.verdict == "refuse"
            and whatever_the_arguments(rule)
            and binds(rule, roles, tenant_id)
            and (not rule.after_findings or bool(blocked))
            and (rule.after_reading is None or was_read(rule.after_reading, read))
            for rule in self.rules_about(tool)
        )

    def limits(self, request: Request) -> list[Rule]:
        """Rules about this call's tool, roles and company whose verdict needs to know what was done before."""
        return [
            rule
            for rule in self.rules_about(request.tool)
            if rule.limit is not None and binds(rule, request.roles, request.tenant_id)
        ]

    def wants_names(self, tool: AnyTool) -> bool:
        """Whether a rule asks which of this tool's references the user named."""
        return any(rule.unless_named for rule in self.rules_about(tool))

    def wants_choices(self, tool: AnyTool) -> bool:
        """Whether a rule asks if this tool's references were chosen among several."""
        return any(rule.one_of_several for rule in self.rules_about(tool))

    def looks_into(self, tool: AnyTool) -> bool:
        """Whether a rule asks what the texts among this tool's arguments carry."""
        return any(rule.carries for rule in self.rules_about(tool))

    def rules_about(self, tool: AnyTool) -> list[Rule]:
        """Those that can speak of this tool, in the order of the file."""
        found = self._rules.get(tool.name)
        if found is None:
            found = self._rules[tool.name] = [rule for rule in self.data.rules if covers(rule, tool)]
        return found

    # ------------------------------------------------------------ a call

    def decide(self, request: Request, used: Mapping[str, Used] = NOTHING) -> Verdict:
        """The strictest verdict of all that speak; of equals, the first in the file.

        Args:
            request: The call.
            used: By a rule's name, how much of its limit is used up; where that is not known the rule speaks.
        """
        return max(self.spoken(request, used), key=lambda verdict: MILDEST_FIRST.index(verdict.decision))

    def spoken(self, request: Request, used: Mapping[str, Used] = NOTHING) -> list[Verdict]:
        """Every verdict that speaks of the call. The first is that of capabilities: there always is one."""
        tool = request.tool
        granted = self.capability(tool, request.roles, tenant_id=request.tenant_id)
        verdicts = [Verdict(granted, CAPABILITY, _told(_REASONS[granted], tool))]
        if _goes_where_strangers_said(request):
            verdicts.append(Verdict("ask", EGRESS, "A person decides whether this address is gone to."))
        rules = [rule for rule in self.rules_about(tool) if binds(rule, request.roles, request.tenant_id)]
        if rules:
            values = Values(request.arguments)
            for rule in rules:
                if speaks(rule, request, values, used.get(rule.name)):
                    reason = request.blocked if rule.after_findings else _told(rule.reason, tool)
                    verdicts.append(Verdict(rule.verdict, rule.name, reason))
        return verdicts

    def _granted(self, tool: AnyTool, role: Role, tenant_id: str) -> Decision:
        about = self._capabilities.get(tool.name)
        if about is None:
            about = self._capabilities[tool.name] = [one for one in self.data.capabilities if covers(one, tool)]
        spoken: list[Decision] = [one.verdict for one in about if binds(one, frozenset({role}), tenant_id)]
        return reduce(strictest, spoken) if spoken else "refuse"


def _goes_where_strangers_said(request: Request) -> bool:
    """What is in an address leaves with the call, so one that strangers wrote is a way to send."""
    if request.tool.egress is None:
        return False
    origin = request.origins.get(request.tool.egress)
    return origin is None or origin.untrusted


def always(rule: Rule) -> bool:
    """Whether the rule speaks of every call that it is about."""
    return whatever_the_arguments(rule) and rule.after_reading is None and not rule.after_findings


def whatever_the_arguments(rule: Rule) -> bool:
    """Whether the rule looks at no argument and counts nothing."""
    return not (
        rule.when
        or rule.require_origin
        or rule.unless_origin
        or rule.unless_named
        or rule.one_of_several
        or rule.carries
        or rule.limit
    )


def _told(reason: str, tool: AnyTool) -> str:
    return reason.replace("{tool}", tool.name).replace("{effect}", tool.effect)
