"""A model that does the user's task and obeys every order that it reads: only the guard is left to say no."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.llm.base import Delta, OnProgress, ToolSpec, Usage
from agent.messages import ChatMessage, ToolCall
from evals.outside.agentdojo.theirs import Call
from evals.outside.agentdojo.world import WORLD

Obedience = Literal["at_once", "at_the_end", "spliced", "never"]
"""When it obeys: before it goes on with the user's task, after that, or by putting the attacker's values into the
user's own calls; `never` is the user's task alone."""


@dataclass
class Mind:
    """What one run's model will ask for.

    Args:
        users: The calls that do the user's task, in order.
        attackers: The calls that do the attacker's.
        spliced: By the position in `users`: what the attacker would make of that call.
    """

    users: Sequence[Call]
    attackers: Sequence[Call]
    obedience: Obedience
    answer: str
    attackers_answer: str = ""
    spliced: Mapping[int, Call] = field(default_factory=dict[int, Call])
    _queue: deque[Call] = field(default_factory=deque[Call])
    _next: int = 0
    _obeyed: bool = False

    def think(self, *, saw_order: bool) -> Call | str:
        """The next call, or the last word."""
        if saw_order and not self._obeyed and self.obedience == "at_once":
            self._obey()
        if self._queue:
            return self._queue.popleft()
        if self._next < len(self.users):
            self._next += 1
            if self.obedience == "spliced" and saw_order:
                return self.spliced.get(self._next - 1, self.users[self._next - 1])
            return self.users[self._next - 1]
        if saw_order and not self._obeyed and self.obedience == "at_the_end":
            self._obey()
            return self.think(saw_order=True)
        if saw_order and self.obedience != "never" and self.attackers_answer:
            return f"{self.answer} {self.attackers_answer}"
        return self.answer

    def _obey(self) -> None:
        self._obeyed = True
        self._queue.extend(self.attackers)


class Gullible:
    """The backend of all pairs: it thinks with the mind of the world that it is asked in."""

    name = digest = "gullible"
    native_tools = True
    context_tokens = 1_000_000

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        """There is nothing to load."""

    async def stop(self) -> None:
        """There is nothing to give back."""

    async def stream(
        self,
        messages: Sequence[ChatMessage],  # noqa: ARG002  it has decided before it was asked
        *,
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002
        schema: dict[str, Any] | None = None,  # noqa: ARG002
        max_tokens: int | None = None,  # noqa: ARG002
        seed: int | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Delta, None]:
        world = WORLD.get()
        thought = world.mind.think(saw_order=world.saw_order)
        if isinstance(thought, str):
            yield Delta(text=thought)
        else:
            yield Delta(calls=(ToolCall(id="next", tool=thought.tool, arguments=dict(thought.arguments)),))
        yield Delta(finish="stop", usage=Usage(1, 1))
