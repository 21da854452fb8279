"""How much of a limit is used up: read from the ledger, and from this process's calls that are on their way into it.

The ledger holds every effect of every replica. A call that has passed and is not yet reserved is held here, so of two
calls at once in this process the second sees the first. Two replicas may each let one through at the same moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from agent.event_store import again
from agent.policy.decide import Policy
from agent.policy.match import Values, covers, money_at
from agent.policy.model import Limit, Rule
from agent.policy.request import Request, Used
from agent.principal import Principal
from tools.registry import AnyTool

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Effect
    from prisma.client.types import EffectWhereInput, RunWhereInput

HELD = timedelta(minutes=2)  # until a call that passed is certainly in the ledger, or never will be
MAX_ROWS = 10_000  # effects within one window; beyond, the limit counts as used up
FULL = Used(calls=10**9, minor=10**18)

Key = tuple[str, str]
"""A run's id and a call's."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A call that may become an effect."""

    key: Key
    principal: Principal
    tool: AnyTool
    arguments: Mapping[str, Any]
    at: datetime


@dataclass(slots=True)
class Limits:
    """Counts for all runs of this process."""

    db: Prisma
    clock: Callable[[], datetime]
    tools: Mapping[str, AnyTool]
    _passing: dict[Key, Passing] = field(default_factory=dict[Key, Passing])
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def used(
        self, policy: Policy, principal: Principal, run_id: str, calls: Sequence[tuple[str, Request]], *, hold: bool
    ) -> dict[str, dict[str, Used]]:
        """By call id, then by rule, what is used up when the calls are decided about one after the other.

        Args:
            calls: Ids and what policy is asked about each.
            hold: They run now: those that pass count for whoever comes next.
        """
        found: dict[str, dict[str, Used]] = {}
        async with self._lock:
            self._forget()
            before = dict(self._passing)
            for call_id, request in calls:
                key = (run_id, call_id)
                others = [one for one in before.values() if one.key != key]
                found[call_id] = {
                    rule.name: await self._count(rule, Passing(key, principal, request.tool, {}, self.clock()), others)
                    for rule in policy.limits(request)
                }
                if policy.decide(request, found[call_id]).decision != "refuse":
                    before[key] = Passing(key, principal, request.tool, request.arguments, self.clock())
                    if hold:
                        self._passing[key] = before[key]
        return found

    async def _count(self, rule: Rule, call: Passing, others: Sequence[Passing]) -> Used:
        """What of the rule's limit is used up before `call`."""
        limit = cast("Limit", rule.limit)
        tools = [call.tool.name] if "tool" in limit.per else [t.name for t in self.tools.values() if covers(rule, t)]
        rows = await self._rows(limit, call, tools)
        if len(rows) >= MAX_ROWS:
            return FULL
        there = {(row.run_id, row.call_id) for row in rows}
        coming = [
            one for one in others if one.key not in there and one.tool.name in tools and _together(limit, one, call)
        ]
        money, minor = limit.money, 0
        if money is not None and limit.of is not None:
            minor += sum(_spent(row, limit.of, money.currency) for row in rows)
            minor += sum(money_at(Values(one.arguments), limit.of, money.currency) or 0 for one in coming)
        return Used(calls=len(rows) + len(coming), minor=minor)

    async def _rows(self, limit: Limit, call: Passing, tools: Sequence[str]) -> list[Effect]:
        """Effects within the window, but for the call itself: it is asked about again when it runs."""
        run_id, call_id = call.key
        run: RunWhereInput = {"tenant_id": call.principal.tenant_id}
        if "user" in limit.per:
            run["user_id"] = call.principal.user_id
        if "run" in limit.per:
            run["id"] = run_id
        where: EffectWhereInput = {
            "tool": {"in": list(tools)},
            "status": {"not": "failed"},
            "reserved_at": {"gt": call.at - limit.window},
            "run": {"is": run},
            "NOT": [{"run_id": run_id, "call_id": call_id}],
        }
        most = MAX_ROWS if limit.calls is None else min(MAX_ROWS, limit.calls + 1)
        async for attempt in again():
            with attempt:
                return await self.db.effect.find_many(where=where, take=most)
        raise AssertionError("the last attempt returns or raises")

    def _forget(self) -> None:
        before = self.clock() - HELD
        for key in [key for key, one in self._passing.items() if one.at < before]:
            del self._passing[key]


def _together(limit: Limit, one: Passing, call: Passing) -> bool:
    """Whether both count towards the same limit."""
    return (
        one.principal.tenant_id == call.principal.tenant_id
        and ("user" not in limit.per or one.principal.user_id == call.principal.user_id)
        and ("run" not in limit.per or one.key[0] == call.key[0])
    )


def _spent(row: Effect, path: str, currency: str) -> int:
    """What an effect came to: as it was asked for, else as its result tells under the same name."""
    for told in (row.arguments, row.result):
        if isinstance(told, dict):
            amount = money_at(Values(cast("dict[str, Any]", told)), path, currency)
            if amount is not None:
                return amount
    return 0
