"""What a run tells its watchers. One log, one form: every reader gets the same bytes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.registry import Effect

EventType = Literal[
    "run.started",
    "run.resumed",
    "token",
    "tool.call",
    "approval.required",
    "tool.result",
    "guard",
    "message",
    "run.finished",
]
FinalStatus = Literal["succeeded", "failed", "cancelled", "waiting"]


class RunEvent(BaseModel):
    """Base of all events; `type` becomes the SSE `event:` line, the rest its `data:`."""

    model_config = ConfigDict(frozen=True)
    type: ClassVar[EventType]


class RunStarted(RunEvent):
    type = "run.started"
    run_id: str
    thread_id: str
    model: str


class RunResumed(RunEvent):
    """The process that worked on the run died, and another goes on with it.

    Tokens since the last event of another type are void: what they began is told again, or whole in a `message`. Some
    sequence numbers before this one are left out, for they may have been seen and were never stored.
    """

    type = "run.resumed"
    attempt: int


class Token(RunEvent):
    """Text for the person, as it is generated."""

    type = "token"
    text: str


class ToolCalled(RunEvent):
    """A call that passed validation and policy, before it runs. `origins` maps an argument's path to its origin."""

    type = "tool.call"
    call_id: str
    tool: str
    effect: Effect
    arguments: dict[str, Any]
    origins: dict[str, str]


class ApprovalRequired(RunEvent):
    type = "approval.required"
    approval_id: str
    call_id: str
    tool: str
    effect: Effect
    digest: str
    arguments: dict[str, Any]
    origins: dict[str, str]
    expires_at: str


class ErrorInfo(BaseModel):
    """An error that a client may see."""

    model_config = ConfigDict(frozen=True)
    code: str
    message: str


class ToolReturned(RunEvent):
    """How a call ended: `status` is `succeeded`, `failed`, `refused` (policy) or `rejected` (a person)."""

    type = "tool.result"
    call_id: str
    status: Literal["succeeded", "failed", "refused", "rejected"]
    result: dict[str, Any] | None = None
    error: ErrorInfo | None = None


class Guarded(RunEvent):
    type = "guard"
    guard: str
    verdict: Literal["allow", "ask", "refuse"]
    reason: str


class Message(RunEvent):
    """The whole answer, once it is complete and has passed the output guards."""

    type = "message"
    text: str


class UsageInfo(BaseModel):
    model_config = ConfigDict(frozen=True)
    input_tokens: int = 0
    output_tokens: int = 0
    steps: int = 0


class RunFinished(RunEvent):
    type = "run.finished"
    status: FinalStatus
    usage: UsageInfo = Field(default_factory=UsageInfo)
    error: ErrorInfo | None = None


AnyEvent = Annotated[
    RunStarted | RunResumed | Token | ToolCalled | ApprovalRequired | ToolReturned | Guarded | Message | RunFinished,
    Field(description="Any event of a run."),
]
