"""What the graph knows of a run. JSON, kept in `runs.state` while the run rests, so any process can go on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import TypedDict  # pydantic needs it below Python 3.12

from agent.ending import Ending
from agent.events import UsageInfo
from agent.messages import ChatMessage, ToolCall
from agent.principal import Principal


class Timing(BaseModel):
    """How long the model took in this run, and the run waited before it; milliseconds.

    Attributes:
        queue_ms: From the request to its place, and until the model had room for its questions.
        first_token_ms: From the first question to the model to the first thing that it generated.
        generation_ms: Of all answers, from their first token to their last.
    """

    model_config = ConfigDict(frozen=True)

    queue_ms: int = 0
    first_token_ms: int | None = None
    generation_ms: int = 0

    def after(self, waited_ms: int, first_token_ms: int | None, generation_ms: int) -> Timing:
        """With one more answer."""
        return Timing(
            queue_ms=self.queue_ms + waited_ms,
            first_token_ms=first_token_ms if self.first_token_ms is None else self.first_token_ms,
            generation_ms=self.generation_ms + generation_ms,
        )


class PlannedCall(BaseModel):
    """A call of the current step that passed validation and policy.

    Attributes:
        arguments: As validated, in their wire form, defaults included: exactly what will run.
        origins: Path of an argument to its origin.
        approval_id: Set when a person must decide first.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    tool: str
    arguments: dict[str, Any]
    origins: dict[str, str]
    digest: str
    approval_id: str | None = None


class RunState(TypedDict):
    """The graph's state.

    Attributes:
        messages: Of this run, in order; earlier ones of the thread are not part of it.
        stored: How many of `messages` are in the database already.
        asked: Calls of the model's last step that nobody has looked at yet.
        planned: Calls of the last step that wait for execution or for a person.
        seen: Digest of a call -> how often it was asked for since the last effect.
        blocked: Why nothing but reading is allowed for the rest of this run; empty when it is.
        answer: The model's final text, not yet through the guards' last look.
    """

    messages: list[ChatMessage]
    stored: int
    asked: tuple[ToolCall, ...]
    planned: tuple[PlannedCall, ...]
    seen: dict[str, int]
    blocked: str
    answer: str
    usage: UsageInfo
    timing: Timing
    ending: Ending | None


class Snapshot(BaseModel):
    """Everything that a resting run keeps. After its end only `grounding` is left, for the thread's next turn."""

    version: Literal[1] = 1
    principal: Principal
    grounding: dict[str, Any]
    seconds: float = 0.0
    state: dict[str, Any] | None = None


_STATE = TypeAdapter(RunState)


def new_state(messages: list[ChatMessage]) -> RunState:
    """The state of a run that has not begun."""
    return RunState(
        messages=messages,
        stored=0,
        asked=(),
        planned=(),
        seen={},
        blocked="",
        answer="",
        usage=UsageInfo(),
        timing=Timing(),
        ending=None,
    )


def dump_state(state: RunState) -> dict[str, Any]:
    """As JSON values."""
    return _STATE.dump_python(state, mode="json")


def load_state(data: dict[str, Any]) -> RunState:
    """The inverse of `dump_state`."""
    return _STATE.validate_python({"timing": {}, **data})  # a run may rest since before there was any
