"""Reading what a backend streams."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field

from agent.llm.base import Delta, Deltas
from agent.messages import ChatMessage, ToolCall

ASK = [ChatMessage(role="user", content="Say hello.")]


@dataclass
class Answer:
    """A whole answer. `text` is what the pieces make together."""

    pieces: list[str] = field(default_factory=list[str])
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    last: Delta = field(default_factory=Delta)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


async def whole(stream: Deltas, answer: Answer | None = None) -> Answer:
    """Everything that comes, until the end. With an `answer` of the caller's, it keeps what came before an error."""
    answer = answer or Answer()
    async with aclosing(stream) as deltas:
        async for delta in deltas:
            if delta.text:
                answer.pieces.append(delta.text)
            answer.calls += delta.calls
            answer.last = delta
    return answer
