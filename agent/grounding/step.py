"""One step of a model that is constrained by a schema: tool calls, or the answer."""

from __future__ import annotations

from dataclasses import dataclass

from agent.messages import ToolCall


@dataclass(frozen=True, slots=True)
class Step:
    """What the model decided. Either `calls` or `answer` is set, never both."""

    calls: tuple[ToolCall, ...] = ()
    answer: str = ""
