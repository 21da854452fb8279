"""Why a call was decided as it was: every rule about its tool, each condition of it, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from agent.policy.decide import Policy
from agent.policy.match import Values, binds, misplaced, speaks, undecided, unnamed
from agent.policy.model import Rule
from agent.policy.request import Request, Used, Verdict
from tools.origin import MODEL


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule about the call's tool. `speaks` when every condition holds; one without conditions always does."""

    rule: str
    verdict: str
    speaks: bool
    conditions: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict, what capabilities say, and the rules in the order of the file."""

    verdict: Verdict
    granted: Verdict
    rules: tuple[Explained, ...]


def explain(policy: Policy, request: Request, used: Mapping[str, Used]) -> Explanation:
    """What the policy says of a call, and why."""
    values = Values(request.arguments)
    rules: list[Explained] = []
    for rule in policy.rules_about(request.tool):
        bound = binds(rule, request.roles, request.tenant_id)
        told = [(_who(rule), bound)] if rule.roles or rule.tenants else []
        told += _conditions(rule, request, used)
        rules.append(
            Explained(
                rule.name, rule.verdict, bound and speaks(rule, request, values, used.get(rule.name)), tuple(told)
            )
        )
    return Explanation(policy.decide(request, used), policy.spoken(request, used)[0], tuple(rules))


def _who(rule: Rule) -> str:
    roles = f"role {' or '.join(rule.roles)}" if rule.roles else ""
    tenants = f"company {' or '.join(rule.tenants)}" if rule.tenants else ""
    return ", ".join(part for part in (roles, tenants) if part)


def _conditions(rule: Rule, request: Request, used: Mapping[str, Used]) -> Iterator[tuple[str, bool]]:
    """Each condition by itself, as text, and whether it holds."""
    values = Values(request.arguments)

    def alone(**condition: object) -> bool:
        bare: dict[str, object] = {
            "when": {},
            "require_origin": {},
            "unless_origin": {},
            "unless_named": None,
            "one_of_several": None,
            "carries": {},
            "after_reading": None,
            "after_findings": False,
            "limit": None,
        }
        return speaks(rule.model_copy(update={**bare, **condition}), request, values, used.get(rule.name))

    for path, predicate in rule.when.items():
        said = ", ".join(
            f"{name} {value}" for name, value in predicate.model_dump(exclude_none=True, by_alias=True).items()
        )
        yield f"{path}: {said}", alone(when={path: predicate})
    for path, wanted in rule.require_origin.items():
        wrong = set(misplaced(rule, replace(request), values))
        found = {exact: request.origins.get(exact, MODEL) for exact, _ in values.at(path)}
        said = ", ".join(f"{exact} from {origin}" for exact, origin in found.items() if exact in wrong)
        text = f"{path} not from {' or '.join(wanted)}"
        yield f"{text} ({said})" if said else text, alone(require_origin={path: wanted})
    if rule.unless_origin:
        said = " and ".join(f"{path} from {' or '.join(wanted)}" for path, wanted in rule.unless_origin.items())
        yield f"unless {said}", alone(unless_origin=rule.unless_origin)
    if rule.unless_named is not None:
        missing = ", ".join(unnamed(rule, request, values))
        text = f"unless the user named {' and '.join(rule.unless_named)}"
        yield f"{text} ({missing} was not)" if missing else text, alone(unless_named=rule.unless_named)
    if rule.one_of_several is not None:
        found = ", ".join(undecided(rule, request, values))
        text = f"one of several: {' or '.join(rule.one_of_several)}"
        yield f"{text} ({found} is)" if found else text, alone(one_of_several=rule.one_of_several)
    for path, wanted in rule.carries.items():
        held = alone(carries={path: wanted})
        yield f"{path} carries what is from {' or '.join(wanted)}", held
    if rule.after_reading is not None:
        yield f"after reading {' or '.join(rule.after_reading)}", alone(after_reading=rule.after_reading)
    if rule.after_findings:
        yield "after findings that block", alone(after_findings=True)
    if rule.limit is not None:
        yield f"beyond {limit_text(rule)}", alone(limit=rule.limit)


def limit_text(rule: Rule) -> str:
    """`3 calls in 1h per user`."""
    limit = rule.limit
    if limit is None:
        return ""
    what = f"{limit.calls} calls" if limit.calls is not None else f"{limit.total} of {limit.of}"
    return f"{what} in {limit.within} per {' and '.join(limit.per)}"


def summary(rule: Rule) -> str:
    """All conditions of a rule in one line."""
    parts = [_who(rule)] if rule.roles or rule.tenants else []
    for path, predicate in rule.when.items():
        said = predicate.model_dump(exclude_none=True, by_alias=True)
        parts.append(f"{path} " + " and ".join(f"{name} {value}" for name, value in said.items()))
    parts += [f"{path} not from {'|'.join(wanted)}" for path, wanted in rule.require_origin.items()]
    parts += [f"unless {path} from {'|'.join(wanted)}" for path, wanted in rule.unless_origin.items()]
    if rule.unless_named is not None:
        parts.append(f"unless the user named {'|'.join(rule.unless_named)}")
    if rule.one_of_several is not None:
        parts.append(f"one of several: {'|'.join(rule.one_of_several)}")
    parts += [f"{path} carries {'|'.join(wanted)}" for path, wanted in rule.carries.items()]
    if rule.after_reading is not None:
        parts.append(f"after reading {'|'.join(rule.after_reading)}")
    if rule.after_findings:
        parts.append("after findings")
    if rule.limit is not None:
        parts.append(f"beyond {limit_text(rule)}")
    return "; ".join(parts) or "always"
