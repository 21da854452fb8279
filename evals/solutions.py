"""Agents that need no model: one that does what a case's solution says, one that does nothing, one that only talks."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, cast

from agent.llm.base import Delta, OnProgress, ToolSpec, Usage
from agent.llm.errors import ModelError
from agent.messages import ChatMessage, ToolCall
from evals.case import Case, Turn

BOAST = "Done, as you asked. Everything is settled."
IDLE = "OK."


def idle(case: Case) -> list[Turn]:
    """Answers, and does nothing."""
    return [Turn(answer=IDLE) for _ in case.say]


def talker(case: Case) -> list[Turn]:
    """Says all that the solution says, and does nothing of it. Where the solution only talks, it boasts instead."""
    acts = any(turn.calls for turn in case.solution)
    return [Turn(answer=turn.answer if acts else BOAST) for turn in case.solution]


class SolutionBackend:
    """A model that plays `turns`, one call a step."""

    name = "solution"
    digest = "solution"
    native_tools = True
    context_tokens = 1_000_000

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._steps: list[Mapping[str, Any] | str] = []
        for turn in turns:
            self._steps += [*turn.calls, turn.answer]
        self._made = 0

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        """There is nothing to load."""

    async def stop(self) -> None:
        """There is nothing to give back."""

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002 - the solution has decided already
        schema: dict[str, Any] | None = None,  # noqa: ARG002
        max_tokens: int | None = None,  # noqa: ARG002
        seed: int | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Delta]:
        if not self._steps:
            raise ModelError("The solution has no step left: the agent asked again after its answer.")
        step = self._steps.pop(0)
        if isinstance(step, str):
            yield Delta(text=str(_filled(step, messages)))
            yield Delta(finish="stop", usage=Usage(100, 10))
            return
        ((tool, arguments),) = step.items()
        self._made += 1
        call = ToolCall(id=f"call_{self._made}", tool=tool, arguments=_filled(dict(arguments), messages))
        yield Delta(calls=(call,), finish="tool_calls", usage=Usage(100, 10))


def _filled(value: Any, messages: Sequence[ChatMessage]) -> Any:
    """`value` with `$document`, `$document2` and `$draft` replaced by what the conversation calls them."""
    if isinstance(value, str):
        return re.sub(r"\$(document|draft)(\d*)", lambda found: _reference(found[1], found[2], messages), value)
    if isinstance(value, Mapping):
        return {key: _filled(inner, messages) for key, inner in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_filled(inner, messages) for inner in cast("Sequence[Any]", value)]
    return value


def _reference(kind: str, number: str, messages: Sequence[ChatMessage]) -> str:
    if kind == "document":
        attached = [
            found for m in messages if m.role == "user" for found in re.findall(r"\[attached: (doc_\w+)", m.content)
        ]
        position = int(number or 1) - 1
        return attached[position] if position < len(attached) else f"${kind}{number}"
    drafted = [
        found
        for m in messages
        if m.role == "tool" and m.tool == "draft_invoice"
        for found in re.findall(r"inv_\w+", m.content)
    ]
    return drafted[-1] if drafted else f"${kind}{number}"
