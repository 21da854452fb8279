"""What every model backend is: one small protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from agent.messages import ChatMessage, ToolCall


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as the model counted them."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """What arrived: some text, whole tool calls, or the end (`finish` and `usage` set)."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "length", "tool_calls"] | None = None
    usage: Usage | None = None


class Deltas(Protocol):
    """An answer as it is generated, as an asynchronous generator gives it. `aclose` stops the generation."""

    def __aiter__(self) -> AsyncIterator[Delta]: ...
    def __anext__(self) -> Coroutine[Any, Any, Delta]: ...
    def aclose(self) -> Coroutine[Any, Any, None]: ...


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is shown it. `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long start has come. `total` is None while unknown; `unit` is "B" or "step"."""

    what: str
    done: int
    total: int | None
    unit: str = "B"


OnProgress = Callable[[Progress], None]


class Backend(Protocol):
    """A model that answers a conversation.

    Attributes:
        name: As configured, like `ollama:qwen3:8b`.
        digest: Identifies the exact weights where the server tells; else the name.
        native_tools: The model's own tool calling can be relied on. Otherwise the agent sends `schema` and no `tools`.
        context_tokens: The longest conversation it takes, in tokens.
    """

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def native_tools(self) -> bool: ...
    @property
    def context_tokens(self) -> int: ...

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        """Fetch, load and warm what is needed; afterwards `stream` answers at once. Raises a `ModelError`."""
        ...

    async def stop(self) -> None:
        """Give everything back. A stopped backend can be started again."""
        ...

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> Deltas:
        """Answer, as it is generated. With `schema` the text is JSON that it accepts.

        Closing it (`contextlib.aclosing`) stops the generation. Raises a `ModelError`; retried only
        while nothing was streamed.
        """
        ...


@runtime_checkable
class Checkable(Protocol):
    """A backend whose model may go away while it runs."""

    async def check(self) -> None:
        """Ask, without having anything generated, whether it could answer now. Raises a `ModelError`."""
        ...
