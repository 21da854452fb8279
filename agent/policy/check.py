"""What a valid policy may still have wrong: rules that can never decide, and ways around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from agent.grounding.walk import schema_of
from agent.policy.decide import Policy, always
from agent.policy.match import binds, covers
from agent.policy.model import Predicate, Rule
from agent.policy.request import MILDEST_FIRST, Decision
from agent.principal import ROLES
from tools.registry import AnyTool


def warnings(policy: Policy, tools: Mapping[str, AnyTool]) -> list[str]:
    """One line for each thing that is probably not meant."""
    found: list[str] = []
    for number, rule in enumerate(policy.data.rules):
        about = [tool for tool in tools.values() if covers(rule, tool)]
        found += [f"{rule.name}: {text}" for text in _of_rule(policy, rule, about, policy.data.rules[:number])]
    for number, one in enumerate(policy.data.capabilities, start=1):
        if not any(covers(one, tool) for tool in tools.values()):
            found.append(f"capability {number}: it is about no tool that there is.")
    return found


def _of_rule(policy: Policy, rule: Rule, about: Sequence[AnyTool], before: Sequence[Rule]) -> Iterator[str]:
    if not about:
        yield "it can never decide: it is about no tool that there is."
        return
    if all(_decided(policy, rule, tool) for tool in about):
        yield f"it can never decide: whoever it binds is told {rule.verdict!r} or stricter without it."
    for other in before:
        if always(other) and _index(other.verdict) >= _index(rule.verdict) and _wider(other, rule, about):
            yield f"it can never decide: {other.name} speaks of every call that it is about, before it."
            break
    for path, predicate in rule.when.items():
        if _contradicts(predicate):
            yield f"it can never decide: nothing at {path!r} is all that it says."
        elif predicate.present is None and any(_may_be_left_out(tool, path) for tool in about):
            yield f"it is silent where {path!r} is left out; a rule with `present: false` speaks then."
    if rule.limit is not None and all(tool.effect == "read" for tool in about):
        yield "it can never decide by counting: reads are not in the ledger. A limit of 0 always speaks."


def _decided(policy: Policy, rule: Rule, tool: AnyTool) -> bool:
    """Whether every role that the rule binds is told as much by its capabilities."""
    tenants = rule.tenants or ["", *(name for one in policy.data.capabilities for name in one.tenants or ())]
    return all(
        _index(policy.capability(tool, [role], tenant_id=tenant)) >= _index(rule.verdict)
        for role in rule.roles or ROLES
        for tenant in tenants
    )


def _wider(other: Rule, rule: Rule, about: Sequence[AnyTool]) -> bool:
    """Whether `other` binds everybody that `rule` binds, for all of these tools."""
    return all(covers(other, tool) for tool in about) and all(
        binds(other, frozenset({role}), tenant) for role in rule.roles or ROLES for tenant in rule.tenants or [""]
    )


def _contradicts(predicate: Predicate) -> bool:
    if predicate.eq is not None and predicate.in_ is not None and predicate.eq not in predicate.in_:
        return True
    low = [bound for bound in (predicate.gt, predicate.gte) if isinstance(bound, int | float)]
    high = [bound for bound in (predicate.lt, predicate.lte) if isinstance(bound, int | float)]
    if low and high and max(low) > min(high):
        return True
    looks = predicate.model_fields_set - {"present"}
    return predicate.present is False and bool(looks)


def _may_be_left_out(tool: AnyTool, path: str) -> bool:
    """Whether the argument is one of the tool's own that it can do without."""
    schema = schema_of(tool.arguments, "validation")
    return (
        path in schema.get("properties", {})
        and path not in schema.get("required", ())
        and schema["properties"][path].get("default", None) is None
    )


def _index(decision: Decision) -> int:
    return MILDEST_FIRST.index(decision)


def about(names: Sequence[str] | None, effects: Sequence[str] | None, tools: Mapping[str, AnyTool]) -> str:
    """What a part of a policy is about, for a table: names as they are written, with what patterns stand for."""
    shown: list[str] = []
    for name in names or ():
        matched = [tool for tool in tools if fnmatchcase(tool, name)]
        shown.append(name if matched == [name] else f"{name} ({', '.join(matched) or 'none'})")
    if effects:
        shown.append(f"effect {'|'.join(effects)}")
    return ", ".join(shown) or "every tool"
