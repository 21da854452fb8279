"""Policy, as the graph asks it: about a planned call, with what the run has read and what limits are used up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from agent.audit import shown_origins
from agent.deps import Deps
from agent.emitter import Barrier, Emitted, Emitter
from agent.events import Guarded
from agent.policy import Request, Used, Verdict
from agent.state import PlannedCall
from agent.steps import Record, recorded
from tools.origin import Origin

UsedUp = Mapping[str, Mapping[str, Used]]
"""By call id, then by rule."""


async def used_up(deps: Deps, emitter: Emitter, calls: Sequence[PlannedCall], blocked: str, *, runs: bool) -> UsedUp:
    """What is used up of the limits on these calls, recorded, for a replay must decide as it was decided.

    Args:
        runs: The calls run now, unless policy refuses.
    """
    policy = deps.services.policy
    requests = [(call.id, _request(deps, call, blocked)) for call in calls]
    limited = [(call_id, request) for call_id, request in requests if policy.limits(request)]
    if not limited:
        return {}

    async def work() -> Record:
        used = await deps.services.limits.used(policy, deps.principal, deps.run_id, limited, hold=runs)
        return {"used": {call_id: {name: [u.calls, u.minor] for name, u in of.items()} for call_id, of in used.items()}}

    record = await recorded(deps, emitter, "limits", work)
    return {call_id: {name: Used(*u) for name, u in of.items()} for call_id, of in record["used"].items()}


def judge(deps: Deps, call: PlannedCall, blocked: str, used: UsedUp, *, at: Literal["plan", "door"]) -> Verdict:
    """What policy says of the call, noted in the audit.

    Args:
        at: Where it is asked: when the model asks for the call, or where the tool runs.
    """
    request = _request(deps, call, blocked)
    verdict = deps.services.policy.decide(request, used.get(call.id, {}))
    from_check = bool(blocked) and verdict.reason == blocked  # what a tool said may quote what it was given
    details = {
        "rule": verdict.rule,
        "reason": "A check found problems." if from_check else verdict.reason,
        "tool": call.tool,
        "effect": request.tool.effect,
        "roles": sorted(request.roles),
        "at": at,
        "origins": shown_origins(call.origins),
    }
    deps.services.observer.judged("policy", verdict.rule, verdict.decision)
    deps.services.audit.record(deps.principal, "policy", f"{deps.run_id}:{call.id}", verdict.decision, details)
    return verdict


def note_guard(deps: Deps, event: Emitted | Barrier) -> None:
    """A guard's verdict, as it was told to who watches; what policy said is noted by `judge`, with its origins."""
    if isinstance(event, Barrier) or event.type != Guarded.type:
        return
    told = Guarded.model_validate_json(event.data)
    if not deps.services.policy.has(told.guard):
        deps.services.observer.judged("guard", told.guard, told.verdict)
        deps.services.audit.record(
            deps.principal, "guard", deps.run_id, told.verdict, {"rule": told.guard, "reason": told.reason}
        )


def note_passed(deps: Deps, action: Literal["guard.input", "guard.output"], guards: Sequence[str]) -> None:
    """All of these guards let the request, or the answer, through."""
    for guard in guards:
        deps.services.observer.judged("guard", guard, "allow")
    deps.services.audit.record(deps.principal, action, deps.run_id, "allow", {"rules": list(guards)})


def _request(deps: Deps, call: PlannedCall, blocked: str) -> Request:
    tool = deps.services.tools[call.tool]
    policy, grounding = deps.services.policy, deps.grounding
    return Request(
        tool,
        call.arguments,
        {path: Origin.parse(origin) for path, origin in call.origins.items()},
        deps.principal.roles,
        blocked,
        deps.principal.tenant_id,
        deps.grounding.read(),
        grounding.named(tool, call.arguments) if policy.wants_names(tool) else frozenset(),
        grounding.carried(tool, call.arguments) if policy.looks_into(tool) else {},
        grounding.undecided(tool, call.arguments) if policy.wants_choices(tool) else frozenset(),
    )
