"""The model's calls: judged, run at once, answered. Two nodes of the graph, `policy` and `execute`.

Calls of one step go in two waves: what only reads or checks, then what has effects, so that a check that finds
something wrong stops the effects that were asked for beside it. Within a wave all calls run at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from agent.approvals import Approvals, Decided
from agent.deps import Deps, Record
from agent.digest import approval_digest, call_digest
from agent.emitter import Emitter
from agent.ending import RunStopped, failed
from agent.events import ApprovalRequired, ErrorInfo, Guarded, ToolCalled
from agent.execute import execute, validate
from agent.messages import ChatMessage, ToolCall
from agent.outcome import Outcome, failed_with, may_block, stopped
from agent.policy import Verdict
from agent.state import PlannedCall, RunState
from agent.steps import recorded
from agent.verdicts import UsedUp, judge, used_up
from tools.errors import InvalidArguments, NotFound, ToolError, ToolFailed
from tools.registry import AnyTool

if TYPE_CHECKING:
    from langgraph.runtime import Runtime  # LangGraph itself is imported by agent/graph.py only

MAX_REPEATS = 3  # times the same call may be asked for in vain


class Repeated(ToolFailed):
    """The same call was answered already."""

    code = "repeated_call"


async def judge_calls(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Validate the next wave of calls and let policy speak. What passes is planned; what does not is answered.

    Raises:
        RunStopped: The model asks for the same again and again, or for too much at once.
    """
    deps, emitter = runtime.context, Emitter(runtime.stream_writer)
    deps.scope.check()
    settings = deps.services.settings
    if len(state["asked"]) > settings.max_calls:
        raise RunStopped(failed("call_limit", f"The model asked for more than {settings.max_calls} calls at once."))
    wave, later = _next_wave(deps, state["asked"])
    seen = dict(state["seen"])
    valid: list[PlannedCall] = []
    planned: list[tuple[PlannedCall, Verdict]] = []
    answered: list[Outcome] = []
    for call in wave:
        try:
            tool = _tool(deps, call)
            _notice_repetition(tool, call, seen)
            valid.append(_plan(deps, tool, call))
        except ToolError as error:
            answered.append(failed_with(call.id, call.tool, error))
    used = await used_up(deps, emitter, valid, state["blocked"], runs=False)
    for plan in valid:
        verdict = judge(deps, plan, state["blocked"], used, at="plan")
        if verdict.decision != "allow":
            emitter.emit(Guarded(guard=verdict.rule, verdict=verdict.decision, reason=verdict.reason))
        if verdict.decision == "refuse":
            answered.append(_refused(plan, verdict))
        else:
            planned.append((plan, verdict))
    # Only now is anybody asked: what raises above leaves no question behind.
    plans = [await _ask(deps, plan, emitter) if verdict.decision == "ask" else plan for plan, verdict in planned]
    return {
        "asked": later,
        "planned": tuple(plans),
        **_answer(deps, state, answered, emitter, seen=seen, arguments={call.id: call.arguments for call in wave}),
    }


async def execute_calls(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Run what is planned and needs nobody's word, or has it. The rest stays planned."""
    deps, emitter = runtime.context, Emitter(runtime.stream_writer)
    planned = state["planned"]
    answers = await _answers(deps, emitter, planned)
    due = [call for call in planned if call.approval_id is None or _is_decided(answers, call)]
    running = [call for call in due if call.id not in answers or answers[call.id].answer == "approved"]
    used = await used_up(deps, emitter, running, state["blocked"], runs=True)
    outcomes = await asyncio.gather(
        *(_settle(deps, call, answers.get(call.id), state, emitter, used=used) for call in due)
    )
    arguments = {call.id: call.arguments for call in due}
    return {
        "planned": tuple(call for call in planned if call not in due),
        **_answer(deps, state, outcomes, None, seen=dict(state["seen"]), arguments=arguments),
    }


async def _answers(deps: Deps, emitter: Emitter, planned: Sequence[PlannedCall]) -> dict[str, Decided]:
    """What people said so far. Recorded, for they may say more before a crash is gone through again."""
    if not any(call.approval_id is not None for call in planned):
        return {}

    async def work() -> Record:
        answers = await _approvals(deps).answers(planned)
        return {"answers": {call_id: [decided.answer, decided.reason] for call_id, decided in answers.items()}}

    record = await recorded(deps, emitter, "approvals", work)
    return {call_id: Decided(answer, reason) for call_id, (answer, reason) in record["answers"].items()}


async def _settle(
    deps: Deps, call: PlannedCall, decided: Decided | None, state: RunState, emitter: Emitter, *, used: UsedUp
) -> Outcome:
    """One call's end. Policy is asked again where the tool runs: much may have happened since it was planned."""
    tool = deps.services.tools[call.tool]
    if decided is not None and decided.answer != "approved":
        outcome = _rejected(call, decided)
    else:
        verdict = judge(deps, call, state["blocked"], used, at="door")
        if verdict.decision == "refuse" or (verdict.decision == "ask" and decided is None):
            emitter.emit(Guarded(guard=verdict.rule, verdict="refuse", reason=verdict.reason))
            outcome = _refused(call, verdict)
        else:
            called = ToolCalled(
                call_id=call.id, tool=tool.name, effect=tool.effect, arguments=call.arguments, origins=call.origins
            )
            emitter.emit(called)
            outcome = await execute(deps, emitter, tool, call)
    emitter.emit(outcome.event())
    return outcome


def _answer(
    deps: Deps,
    state: RunState,
    outcomes: Sequence[Outcome],
    emitter: Emitter | None,
    *,
    seen: dict[str, int],
    arguments: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    """What outcomes change: the model is told, and the run knows what was seen."""
    messages: list[ChatMessage] = []
    for outcome in outcomes:
        tool = deps.services.tools.get(outcome.tool)
        messages.append(outcome.message(tool))
        if emitter is not None:
            emitter.emit(outcome.event())
        if tool is None:
            continue
        deps.grounding.observe_call(tool, arguments[outcome.call_id], retry=outcome.retry or outcome.passing)
        if outcome.result is not None:
            deps.grounding.observe_result(tool, outcome.result)
        if outcome.status == "succeeded" and tool.effect != "read":
            seen.clear()  # the world has changed, so looking again is no repetition
        elif not outcome.passing:
            key = call_digest(tool.name, arguments[outcome.call_id])
            seen[key] = seen.get(key, 0) + 1
    return {
        "messages": [*state["messages"], *messages],
        "seen": seen,
        "blocked": state["blocked"] or next((outcome.blocked for outcome in outcomes if outcome.blocked), ""),
        "ending": next((outcome.ending for outcome in outcomes if outcome.ending is not None), None),
    }


def answer_unanswered(state: RunState) -> list[ChatMessage]:
    """The run ends: calls that never ran get an answer too, so the conversation stays whole for the next turn."""
    ending = state["ending"]
    if ending is None:
        return []
    open_calls: Iterable[PlannedCall | ToolCall] = (*state["planned"], *state["asked"])
    return [stopped(call.id, call.tool, ending).message(None) for call in open_calls]


def _next_wave(deps: Deps, asked: Sequence[ToolCall]) -> tuple[list[ToolCall], tuple[ToolCall, ...]]:
    tools = deps.services.tools
    first = [
        call for call in asked if (tool := tools.get(call.tool)) is None or tool.effect == "read" or may_block(tool)
    ]
    if not first:
        return list(asked), ()
    return first, tuple(call for call in asked if call not in first)


def _tool(deps: Deps, call: ToolCall) -> AnyTool:
    """The tool, if this role has it: one that it has not does not exist for it."""
    for tool in deps.tools:
        if tool.name == call.tool:
            return tool
    raise NotFound("tool", call.tool, hint=f"There are: {', '.join(tool.name for tool in deps.tools)}.")


def _notice_repetition(tool: AnyTool, call: ToolCall, seen: Mapping[str, int]) -> None:
    times = seen.get(call_digest(tool.name, call.arguments), 0)
    if times >= MAX_REPEATS:
        raise RunStopped(failed("loop", f"The model kept asking for the same call of {tool.name}."))
    if times:
        raise Repeated("This very call was answered before. Use that answer, change the arguments, or tell the user.")


def _plan(deps: Deps, tool: AnyTool, call: ToolCall) -> PlannedCall:
    """The call as it would run.

    Raises:
        InvalidArguments: Not the tool's shape, or values that nothing known holds.
    """
    arguments = validate(tool, call.arguments).model_dump(mode="json", exclude_none=True)
    if unknown := deps.grounding.unknown(tool, arguments):
        raise InvalidArguments(
            f"Nothing in this conversation names the value of {', '.join(unknown)}. Look it up, or ask the user."
        )
    origins = {path: str(origin) for path, origin in deps.grounding.origins(tool, arguments).items()}
    digest = approval_digest(tool.name, arguments, origins)
    return PlannedCall(id=call.id, tool=tool.name, arguments=arguments, origins=origins, digest=digest)


def _approvals(deps: Deps) -> Approvals:
    return Approvals(deps.services.db, deps.services.clock)


async def _ask(deps: Deps, call: PlannedCall, emitter: Emitter) -> PlannedCall:
    tool = deps.services.tools[call.tool]
    approval_id, expires_at = await _approvals(deps).ask(
        tenant_id=deps.principal.tenant_id,
        run_id=deps.run_id,
        tool=tool,
        call=call,
        lifetime=timedelta(hours=deps.services.settings.approval_hours),
    )
    emitter.emit(
        ApprovalRequired(
            approval_id=approval_id,
            call_id=call.id,
            tool=tool.name,
            effect=tool.effect,
            digest=call.digest,
            arguments=call.arguments,
            origins=call.origins,
            expires_at=expires_at.isoformat(),
        )
    )
    return call.model_copy(update={"approval_id": approval_id})


def _is_decided(answers: Mapping[str, Decided], call: PlannedCall) -> bool:
    return call.id in answers and answers[call.id].answer != "pending"


def _refused(call: PlannedCall, verdict: Verdict) -> Outcome:
    error = ErrorInfo(code=verdict.rule, message=verdict.reason)
    return Outcome(call.id, call.tool, "refused", error=error)


def _rejected(call: PlannedCall, decided: Decided) -> Outcome:
    why = "Nobody decided in time." if decided.answer == "expired" else decided.reason or "No reason was given."
    return Outcome(call.id, call.tool, "rejected", error=ErrorInfo(code=decided.answer, message=why))
