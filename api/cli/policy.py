"""`deskclerk policy ...`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from api.cli.exits import UNAVAILABLE, USAGE, Stop

if TYPE_CHECKING:
    from agent.policy import Policy
    from agent.policy.request import Used
    from agent.principal import Role

UNKNOWN = 1  # exit code: there are warnings
SHOWN = 500  # audit entries


def check(path: Path | None) -> int:
    """Validate a policy, print it as a table, and warn. Returns 1 when there are warnings."""
    from agent.policy.check import about, warnings
    from agent.policy.explain import summary
    from tools.registry import catalog

    policy, tools = _load(path), catalog()
    rows = [
        ("capability", one.verdict, about(one.tools, one.effects, tools), _who(one.roles, one.tenants))
        for one in policy.data.capabilities
    ]
    rows += [
        (rule.name, rule.verdict, about(rule.tools, rule.effects, tools), summary(rule)) for rule in policy.data.rules
    ]
    print(f"{policy.source}: {len(policy.data.capabilities)} capabilities, {len(policy.data.rules)} rules.")
    _table(("rule", "verdict", "tools", "when"), rows)
    found = warnings(policy, tools)
    for warning in found:
        print(f"warning: {warning}")
    return UNKNOWN if found else 0


def explain(
    path: Path | None,
    *,
    tool: str,
    roles: Sequence[str],
    tenant: str,
    arguments: Sequence[str],
    origins: Sequence[str],
    named: Sequence[str],
    undecided: Sequence[str],
    carried: Sequence[str],
    read: Sequence[str],
    findings: bool,
) -> None:
    """Print which rules speak of a call, which decides, and why."""
    from agent.policy.explain import explain
    from agent.policy.request import Request
    from agent.principal import ROLES
    from tools.registry import catalog

    tools = catalog()
    if tool not in tools:
        raise Stop(f"There is no tool {tool!r}; there are: {', '.join(tools)}.", USAGE)
    for role in roles:
        if role not in ROLES:
            raise Stop(f"There is no role {role!r}; there are: {', '.join(ROLES)}.", USAGE)
    policy = _load(path)
    request = Request(
        tools[tool],
        _nested(arguments),
        {name: _origin(text) for name, text in map(_pair, origins)},
        frozenset(cast("Sequence[Role]", roles)),
        "A check found problems." if findings else "",
        tenant,
        frozenset(read),
        frozenset(named),
        {name: frozenset({_origin(text)}) for name, text in map(_pair, carried)},
        frozenset(undecided),
    )
    told = explain(policy, request, _nothing_used(policy))
    print(f"{told.verdict.decision}: {told.verdict.reason} ({told.verdict.rule})")
    print(f"  {told.granted.decision:<7} {told.granted.rule}: {told.granted.reason}")
    for rule in told.rules:
        print(f"  {rule.verdict if rule.speaks else 'silent':<7} {rule.rule}")
        for text, holds in rule.conditions:
            print(f"          {'yes' if holds else 'no ':<4} {text}")
    if any(rule.limit is not None for rule in policy.rules_about(tools[tool])):
        print("Limits are explained as if nothing was used up yet.")


def explain_subject(subject: str) -> None:
    """Print what the audit of DATABASE_URL knows of a run or of one of its calls (`run:call`), oldest first."""
    rows = asyncio.run(_noted(subject))
    if not rows:
        raise Stop(f"The audit holds nothing about {subject!r}.", UNAVAILABLE)
    for row in rows:
        print(orjson.dumps(row).decode())


async def _noted(subject: str) -> list[dict[str, Any]]:
    from agent.principal import LOCAL
    from api.routes.audit import AuditEntry, about
    from api.service import open_database
    from api.settings import ApiSettings

    async with open_database(ApiSettings().database_url) as db:
        rows = await db.auditentry.find_many(
            where={"tenant_id": LOCAL.tenant_id, "OR": about(subject)},
            order=[{"at": "asc"}, {"id": "asc"}],
            take=SHOWN,
        )
        return [AuditEntry.model_validate(row).model_dump(mode="json") for row in rows]


def _load(path: Path | None) -> Policy:
    from agent.policy import load_policy
    from agent.settings import AgentSettings
    from tools.registry import catalog

    return load_policy(path or AgentSettings().policy, catalog())


def _nothing_used(policy: Policy) -> dict[str, Used]:
    from agent.policy.request import Used

    return {rule.name: Used() for rule in policy.data.rules if rule.limit is not None}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Stop(f"{text!r} is not like path=value.", USAGE)
    return name, value


def _origin(text: str) -> Any:
    from tools.origin import Origin

    try:
        return Origin.parse(text)
    except ValueError as error:
        raise Stop(str(error), USAGE) from None


def _nested(arguments: Sequence[str]) -> dict[str, Any]:
    """`lines[0].quantity=2` and so on as the arguments of a call. A value that is JSON is that value."""
    made: dict[str, Any] = {}
    for path, text in map(_pair, arguments):
        try:
            value: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = text
        made = _put(made, path.replace("[", ".[").split("."), value)
    return made


def _put(holder: Any, steps: Sequence[str], value: Any) -> Any:
    """`holder` with `value` at the end of `steps`."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if not step.startswith("["):
        known = cast("dict[str, Any]", holder if isinstance(holder, dict) else {})
        return {**known, step: _put(known.get(step), rest, value)}
    index, items = step.strip("[]"), cast("list[Any]", holder if isinstance(holder, list) else [])
    if not index.isdecimal() or int(index) > len(items):
        raise Stop(f"{step} is not the next index of its list; they begin with [0].", USAGE)
    number = int(index)
    inner = items[number] if number < len(items) else None
    return [*items[:number], _put(inner, rest, value), *items[number + 1 :]]


def _who(roles: Sequence[str], tenants: Sequence[str] | None) -> str:
    return f"role {'|'.join(roles)}" + (f", company {'|'.join(tenants)}" if tenants else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head) - 1)]
    for row in (head, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())
