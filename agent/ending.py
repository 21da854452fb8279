"""How a run ends, and every code that `run.finished` may carry besides those of `agent/llm/errors.py`.

step_limit       more model calls than one run may make
token_limit      more tokens than one run may use, or an answer cut off
time_limit       more working time than one run may take
call_limit       more calls in one step than anybody needs
loop             the model keeps asking for the same thing
input_refused    a guard did not let the request through
output_refused   a guard stopped the answer
not_allowed      whoever asked was disabled, or has lost every role, while it waited
cancelled        a person cancelled it (status `cancelled`, not `failed`)
interrupted      the process that ran it stopped or died
internal         a bug; the log has the traceback, the client only this code
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.events import ErrorInfo


class Ending(BaseModel):
    """Why the graph comes to its end. No ending means that the run rests on an approval."""

    model_config = ConfigDict(frozen=True)

    status: Literal["succeeded", "failed", "cancelled"]
    error: ErrorInfo | None = None


def failed(code: str, message: str) -> Ending:
    """A run that could not do what it was asked; `message` is for the person."""
    return Ending(status="failed", error=ErrorInfo(code=code, message=message))


SUCCEEDED = Ending(status="succeeded")
CANCELLED = Ending(status="cancelled", error=ErrorInfo(code="cancelled", message="The run was cancelled."))
INTERRUPTED = failed("interrupted", "The server stopped before this run had ended. Effects that are recorded stand.")
NOT_ALLOWED = failed("not_allowed", "Whoever asked for this may not ask for anything any more.")
INTERNAL = failed("internal", "Something went wrong inside deskclerk. The server's log tells what.")


class RunStopped(Exception):
    """Work on this run stops here, between effects. Caught by the graph."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.status)
        self.ending = ending
