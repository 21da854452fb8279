"""A model that says what a test tells it to, one step after the other, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.grounding.render import step_text
from agent.llm.base import Delta, OnProgress, ToolSpec, Usage
from agent.messages import ChatMessage, ToolCall


@dataclass(frozen=True)
class Step:
    """What the model does next: calls, or the answer in these pieces. `error` is raised after them."""

    answer: Sequence[str] = ()
    calls: Sequence[ToolCall] = ()
    raw: Sequence[str] = ()  # sent as it is, whatever the model's form
    finish: str = "stop"
    usage: Usage | None = field(default_factory=lambda: Usage(100, 10))
    error: Exception | None = None
    pause: float = 0.0  # seconds before each piece

    def deltas(self, *, native: bool) -> list[Delta]:
        """What a model with or without tool calling of its own sends for it."""
        if self.raw:
            return [Delta(text=piece) for piece in self.raw]
        if native:
            text = [Delta(text=piece) for piece in self.answer]
            return [*text, Delta(calls=tuple(self.calls))] if self.calls else text
        return [Delta(text=piece) for piece in pieces(step_text(self.calls, "".join(self.answer)))]


def pieces(text: str, size: int = 7) -> list[str]:
    """`text`, cut like a tokenizer would, only worse."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def says(answer: str, **options: Any) -> Step:
    """The final answer."""
    return Step(answer=pieces(answer), **options)


def asks(*calls: tuple[str, dict[str, Any]], **options: Any) -> Step:
    """Tool calls. A model under a schema makes at most one of each tool in a step."""
    made = [ToolCall(id="same", tool=tool, arguments=arguments) for tool, arguments in calls]
    return Step(calls=made, **options)


Script = Sequence[Step | Callable[[Sequence[ChatMessage]], Step]]


class ScriptedModel:
    """Plays `script`; remembers what it was asked. A step may be a function of the conversation."""

    name = "test"
    digest = "test"
    context_tokens = 32_000

    def __init__(self, script: Script, *, native_tools: bool = False) -> None:
        self.native_tools = native_tools
        self.script = list(script)
        self.conversations: list[list[ChatMessage]] = []
        self.schemas: list[dict[str, Any] | None] = []
        self.offered: list[list[str]] = []
        self.warm_prefix: Sequence[ChatMessage] = ()
        self.started = asyncio.Event()  # somebody is being answered
        self.closed = 0  # answers that were broken off

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        self.warm_prefix = warm_prefix

    async def stop(self) -> None:
        pass

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> AsyncGenerator[Delta]:
        self.conversations.append(list(messages))
        self.schemas.append(schema)
        self.offered.append([tool.name for tool in tools])
        step = self.script.pop(0)
        if not isinstance(step, Step):
            step = step(messages)
        self.started.set()
        try:
            for delta in step.deltas(native=self.native_tools):
                await asyncio.sleep(step.pause)
                yield delta
        except (asyncio.CancelledError, GeneratorExit):
            self.closed += 1
            raise
        if step.error is not None:
            raise step.error
        yield Delta(finish=step.finish, usage=step.usage)  # pyright: ignore[reportArgumentType]
