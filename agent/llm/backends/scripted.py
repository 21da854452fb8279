"""`scripted:<file.json>`: answers read from a file, for tests and for showing failures.

    {"native_tools": true, "context_tokens": 8192,
     "answers": [
       {"when": "ACME", "calls": [{"tool": "find_customer", "arguments": {"query": "ACME"}}]},
       {"text": "Invoiced.", "delay_seconds": 0.05},
       {"text": "It was g", "error": "stream_broken", "message": "The server went away."},
       {"when": "hello", "text": "Hello!", "always": true}]}

The first answer that is not used up and whose `when` is in the last message (or that has none) is given, in pieces of
one word. `error` comes after `text`. An answer is used once, unless `always`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.llm import errors
from agent.llm.base import Delta, OnProgress, ToolSpec, Usage
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage, ToolCall

FORM = "scripted:<file.json>"
CONTEXT_TOKENS = 8192
LARGEST_FILE = 8 * 2**20  # bytes
PIECE = re.compile(r"\s*\S+|\s+")

ERRORS: dict[str, type[ModelError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ModelError)
}


class ScriptedCall(BaseModel):
    """A call that an answer asks for. Without `id` it gets one that is unique in the script."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    id: str | None = None


class ScriptedAnswer(BaseModel):
    """One answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Annotated[str | None, Field(description="Must be in the last message; case does not matter.")] = None
    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    error: Annotated[str | None, Field(description="Code of a ModelError, raised after the text.")] = None
    message: Annotated[str, Field(description="Of the error.")] = "The script says so."
    delay_seconds: Annotated[float, Field(ge=0, le=3600, description="Before each piece.")] = 0.0
    always: Annotated[bool, Field(description="Not used up by being given.")] = False

    def suits(self, messages: Sequence[ChatMessage]) -> bool:
        return self.when is None or (bool(messages) and self.when.casefold() in messages[-1].content.casefold())


class Script(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: tuple[ScriptedAnswer, ...]
    native_tools: bool = True
    context_tokens: Annotated[int, Field(ge=1)] = CONTEXT_TOKENS


def create(model: str, settings: LlmSettings) -> ScriptedBackend:
    """`model` is the path of the script. `settings` decide nothing here, but DESKCLERK_LLM_TOOLS=schema."""
    path = Path(model).expanduser()
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ModelError(f"The script {str(path)!r} is larger than {LARGEST_FILE // 2**20} MiB.")
        script = Script.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"The script {str(path)!r} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ModelError(f"The script {str(path)!r} is wrong at {where}: {first['msg']}.") from error
    native = script.native_tools if settings.tools == "auto" else settings.tools == "native"
    return ScriptedBackend(
        script.answers, name=f"scripted:{model}", native_tools=native, context_tokens=script.context_tokens
    )


class ScriptedBackend:
    """A model that says what it was told to.

    Attributes:
        asked: Every conversation that it was given, for tests.
    """

    def __init__(
        self,
        answers: Sequence[ScriptedAnswer],
        *,
        name: str = "scripted",
        native_tools: bool = True,
        context_tokens: int = CONTEXT_TOKENS,
    ) -> None:
        self._left = list(answers)
        self._calls = 0
        self.asked: list[tuple[ChatMessage, ...]] = []
        self.name = name
        self.digest = name
        self.native_tools = native_tools
        self.context_tokens = context_tokens

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        """There is nothing to load."""

    async def stop(self) -> None:
        """There is nothing to give back."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002 - the script has decided already
        schema: dict[str, Any] | None = None,  # noqa: ARG002
        max_tokens: int | None = None,
        seed: int | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Delta, None]:
        self.asked.append(tuple(messages))
        answer = self._take(messages)
        pieces = PIECE.findall(answer.text)
        given = pieces if max_tokens is None else pieces[:max_tokens]
        for piece in given:
            await asyncio.sleep(answer.delay_seconds)
            yield Delta(text=piece)
        if answer.error is not None:
            raise ERRORS.get(answer.error, ModelError)(answer.message)
        usage = Usage(sum(len(PIECE.findall(m.content)) for m in messages), len(given) + len(answer.calls))
        calls = tuple(self._call(call) for call in answer.calls)
        finish = "tool_calls" if calls else "stop" if given == pieces else "length"
        yield Delta(calls=calls, finish=finish, usage=usage)

    def _take(self, messages: Sequence[ChatMessage]) -> ScriptedAnswer:
        for position, answer in enumerate(self._left):
            if answer.suits(messages):
                if not answer.always:
                    del self._left[position]
                return answer
        last = messages[-1].content[:80] if messages else ""
        raise ModelError(f"The script {self.name!r} has no answer left for {last!r}.")

    def _call(self, call: ScriptedCall) -> ToolCall:
        self._calls += 1
        return ToolCall(id=call.id or f"call_{self._calls}", tool=call.tool, arguments=call.arguments)
