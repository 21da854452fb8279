"""How one call ended, as data: for the model, for the watchers, for the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from agent.ending import Ending
from agent.events import ErrorInfo, ToolReturned
from agent.grounding import result_text
from agent.messages import ChatMessage
from tools.errors import Blocked, TimedOut, ToolError, ToolRetry, Unavailable
from tools.registry import AnyTool

CallStatus = Literal["succeeded", "failed", "refused", "rejected"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call's end.

    Attributes:
        retry: Other arguments may do better.
        passing: The same call may do better later.
        blocked: Why nothing but reading may follow in this run; empty for most.
        ending: Set when the run ends with this call: a bug, or it was stopped before the call began.
    """

    call_id: str
    tool: str
    status: CallStatus
    result: BaseModel | None = None
    error: ErrorInfo | None = None
    retry: bool = False
    passing: bool = False
    blocked: str = ""
    ending: Ending | None = None

    def event(self) -> ToolReturned:
        """For the watchers."""
        result = None if self.result is None else self.result.model_dump(mode="json")
        return ToolReturned(call_id=self.call_id, status=self.status, result=result, error=self.error)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "status": self.status,
            "result": None if self.result is None else self.result.model_dump(mode="json"),
            "error": None if self.error is None else self.error.model_dump(),
            "retry": self.retry,
            "passing": self.passing,
            "blocked": self.blocked,
            "ending": None if self.ending is None else self.ending.model_dump(mode="json"),
        }

    @classmethod
    def load(cls, call_id: str, tool: AnyTool, record: Mapping[str, Any]) -> Outcome:
        """The inverse of `record`."""
        result, error, ending = record["result"], record["error"], record["ending"]
        return cls(
            call_id,
            tool.name,
            record["status"],
            result=None if result is None else tool.result.model_validate(result),
            error=None if error is None else ErrorInfo.model_validate(error),
            retry=record["retry"],
            passing=record["passing"],
            blocked=record["blocked"],
            ending=None if ending is None else Ending.model_validate(ending),
        )

    def message(self, tool: AnyTool | None) -> ChatMessage:
        """For the model."""
        if self.result is not None and tool is not None:
            content = result_text(tool, self.result)
        elif self.error is not None:
            content = f"{_LABELS[self.status]}: {self.error.message}"
        else:
            content = "Done."
        return ChatMessage(role="tool", content=content, call_id=self.call_id, tool=self.tool)


_LABELS: dict[CallStatus, str] = {
    "succeeded": "Done",
    "failed": "Failed",
    "refused": "Refused, and asking again will not help",
    "rejected": "A person said no",
}


def succeeded(call_id: str, tool: AnyTool, result: BaseModel) -> Outcome:
    """The tool did it. A result with `blocking` set forbids effects for the rest of the run."""
    blocked = f"{tool.name} found problems that a person must settle first." if is_blocking(result) else ""
    return Outcome(call_id, tool.name, "succeeded", result=result, blocked=blocked)


def failed_with(call_id: str, tool: str, error: ToolError, *, ending: Ending | None = None) -> Outcome:
    """The tool, or the way to it, said no; the model is told."""
    return Outcome(
        call_id,
        tool,
        "failed",
        error=ErrorInfo(code=error.code, message=error.message),
        retry=isinstance(error, ToolRetry),
        passing=isinstance(error, Unavailable | TimedOut),
        blocked=f"{tool} said: {error.message}" if isinstance(error, Blocked) else "",
        ending=ending,
    )


def stopped(call_id: str, tool: str, ending: Ending) -> Outcome:
    """The run ends, so this call did not take place."""
    error = ending.error or ErrorInfo(code=ending.status, message="The run has ended.")
    return Outcome(call_id, tool, "failed", error=error, ending=ending)


def is_blocking(result: BaseModel) -> bool:
    """Whether a result says that the work must not go on."""
    return getattr(result, "blocking", False) is True


def may_block(tool: AnyTool) -> bool:
    """Whether results of this tool can say so: such calls run before the others of their step."""
    return "blocking" in tool.result.model_fields or "blocking" in tool.result.model_computed_fields
