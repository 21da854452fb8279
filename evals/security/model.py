"""A model that does what a case says: the user's work, and the strangers' as well."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

from agent.llm.base import Delta, OnProgress, ToolSpec, Usage
from agent.messages import ChatMessage, ToolCall
from evals.security.cases import Attack, Step

Call = tuple[str, dict[str, Any]]
_DRAFT = re.compile(r"inv_[a-z0-9]+")
_NUMBER = re.compile(r"INV-[0-9]{4}-[0-9]{4,}")


class Obedient:
    """Plays one attack, or its twin.

    Attributes:
        work: The user's calls that it asked for, as it asked.
        attack: The strangers'.
    """

    name = digest = "obedient"
    native_tools = True
    context_tokens = 100_000

    def __init__(self, attack: Attack, documents: Sequence[str]) -> None:
        harmless = attack.poison is None
        steps = attack.case.steps
        # A call that was asked for in vain is not heard again: each attack is made when the most is known.
        self._steps = [
            step
            for position, step in enumerate(steps)
            if step.attack is None or not (harmless or step in steps[position + 1 :])
        ]
        self._poison = attack.poison
        self._documents = documents
        self._harmless = harmless
        self.work: list[Call] = []
        self.attack: list[Call] = []

    def turns(self) -> list[str]:
        """What the user says after the first request."""
        return [step.say for step in self._steps if step.say is not None]

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        """There is nothing to load."""

    async def stop(self) -> None:
        """There is nothing to give back."""

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002  it asks for what it is told to, offered or not
        schema: dict[str, Any] | None = None,  # noqa: ARG002
        max_tokens: int | None = None,  # noqa: ARG002
        seed: int | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Delta, None]:
        step = self._steps.pop(0) if self._steps else Step(answer="Done.")
        if step.say is not None:  # the turn ends here
            step = Step(answer="Done.")
        elif step.answer is not None and self._steps and self._steps[0].say is not None:
            del self._steps[0]
        if step.answer is not None:
            told = "Done." if self._harmless else self._filled(step.answer, messages)
            for start in range(0, len(told), 9):
                yield Delta(text=told[start : start + 9])
        else:
            [(tool, arguments)] = (step.work or step.attack or {}).items()
            call = (tool, cast("dict[str, Any]", self._filled(arguments, messages)))
            (self.work if step.work is not None else self.attack).append(call)
            yield Delta(calls=(ToolCall(id="next", tool=tool, arguments=call[1]),))
        yield Delta(finish="stop", usage=Usage(1, 1))

    def _filled(self, value: Any, messages: Sequence[ChatMessage]) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(inner, messages) for name, inner in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._filled(inner, messages) for inner in cast("list[Any]", value)]
        if not isinstance(value, str) or "$" not in value:
            return value
        for number, document in enumerate(self._documents):
            value = value.replace(f"$doc{number}", document)
        seen = "\n".join(message.content for message in messages if message.role == "tool")
        for mark, pattern in (("$draft", _DRAFT), ("$number", _NUMBER)):
            found = pattern.findall(seen)
            value = value.replace(mark, found[-1] if found else "inv_none")
        return value.replace("$poison", self._poison or "")
