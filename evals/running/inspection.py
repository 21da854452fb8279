"""Samples through inspect_ai: its scheduling, its epochs, its log and the viewer of that.

inspect_ai never sees a model: the solver asks our sampler, and a sample that was made before is read, not made again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.case import Case
from evals.desks.base import Infrastructure
from evals.results import Identity, Sample

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage
    from inspect_ai.scorer import Score, Scorer, Target
    from inspect_ai.solver import Generate, Solver, TaskState

LOGS = Path(".deskclerk/evals/logs")
BUFFERED = 20  # samples in memory before they are written to inspect_ai's log; ours has each at once

Make = Callable[[str, int], Awaitable[Sample]]


async def through_inspect(
    cases: Sequence[Case],
    identity: Identity,
    make: Make,
    *,
    epochs: int,
    at_once: int,
    results: Path,
    logs: Path = LOGS,
) -> str:
    """Have every case made `epochs` times, `at_once` at once. Returns where the log is.

    Args:
        make: Gives the sample of a case and an epoch.
        results: Our results file, beside which transcripts are.

    Raises:
        RuntimeError: inspect_ai could not finish.
    """
    from inspect_ai import (
        Epochs,
        Task,
        eval_async,  # pyright: ignore[reportUnknownVariableType] - one of its options has an untyped list
    )
    from inspect_ai.dataset import MemoryDataset
    from inspect_ai.dataset import Sample as Row
    from inspect_ai.util._display import init_display_type  # `eval` has an option for it, `eval_async` has not

    init_display_type("none")  # we have a bar of our own
    rows = [
        Row(id=case.name, input="\n\n".join(case.say), target=case.about, metadata={"tags": list(case.tags)})
        for case in cases
    ]
    made: dict[tuple[str, int], Sample] = {}
    bugs: list[Exception] = []

    task = Task(
        dataset=MemoryDataset(rows, name=identity.suite),
        solver=_solver(make, made, results, bugs),
        scorer=_scorer(made),
        name=identity.suite,
        metadata=identity.model_dump(mode="json"),
    )
    (log,) = await eval_async(
        task,
        model=None,
        epochs=Epochs(epochs, "mean"),
        max_samples=at_once,
        fail_on_error=False,
        log_dir=str(logs),
        log_realtime=False,
        log_buffer=BUFFERED,
        score_display=False,
        ctl_server=False,  # nobody steers it from outside
    )
    if bugs:
        raise bugs[0]
    if log.status != "success":
        raise RuntimeError(f"inspect_ai ended {log.status}: {log.error.message if log.error else ''}")
    return log.location


def _solver(make: Make, made: dict[tuple[str, int], Sample], results: Path, bugs: list[Exception]) -> Solver:
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import solver

    @solver(name="deskclerk")
    def deskclerk() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            del generate
            try:
                return await tried(state)
            except Infrastructure:
                raise
            except Exception as error:  # inspect_ai would note it as the sample's, and go on
                bugs.append(error)
                raise

        async def tried(state: TaskState) -> TaskState:
            name, epoch = str(state.sample_id), state.epoch
            sample = await make(name, epoch)
            made[name, epoch] = sample
            if sample.outcome == "infrastructure":
                raise Infrastructure("; ".join(sample.faults))
            told: dict[str, Any] = {"say": [], "said": [], "events": []}
            if sample.transcript is not None:
                told = json.loads((results.parent / sample.transcript).read_text("utf-8"))
            state.messages = _messages(told)
            state.output = ModelOutput.from_content("deskclerk", told["said"][-1] if told["said"] else "")
            state.completed = True
            return state

        return solve

    return deskclerk()


def _scorer(made: Mapping[tuple[str, int], Sample]) -> Scorer:
    from inspect_ai.scorer import Score as Given
    from inspect_ai.scorer import accuracy, scorer, stderr

    @scorer(metrics=[accuracy(), stderr()], name="state")
    def state_decides() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            del target
            sample = made[str(state.sample_id), state.epoch]
            return Given(
                value="C" if sample.passed else "I",
                explanation="\n".join(sample.faults) or None,
                metadata=sample.model_dump(
                    mode="json", include={"calls", "valid_calls", "steps", "seconds", "transcript"}
                ),
            )

        return score

    return state_decides()


def _messages(told: Mapping[str, Any]) -> list[ChatMessage]:
    """The conversation as the viewer shows it."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageTool, ChatMessageUser
    from inspect_ai.tool import ToolCall

    messages: list[ChatMessage] = []
    events: list[dict[str, Any]] = told["events"]
    for turn, (say, said) in enumerate(zip(told["say"], told["said"], strict=False), 1):
        messages.append(ChatMessageUser(content=say))
        for event in events:
            data: dict[str, Any] = event["data"]
            if event["turn"] != turn:
                continue
            if event["event"] == "tool.call":
                call = ToolCall(id=data["call_id"], function=data["tool"], arguments=data["arguments"])
                messages.append(ChatMessageAssistant(content="", tool_calls=[call]))
            elif event["event"] == "tool.result":
                text = json.dumps(data.get("result") or data.get("error"), ensure_ascii=False)
                messages.append(ChatMessageTool(content=f"{data['status']}: {text}", tool_call_id=data["call_id"]))
        messages.append(ChatMessageAssistant(content=said))
    return messages
