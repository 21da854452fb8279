"""What a tool may raise, and who hears of it.

* ToolError            the model is told; the turn goes on
  x ToolRetry          the arguments can be mended: call again
    + InvalidArguments
    + NotFound
  x ToolFailed         no other arguments will help
    + Conflict
      o Blocked          a check forbids it: no effect may follow in this run
    + PaymentDeclined      the customer's bank or card refuses
    + Unavailable          nothing happened: it did not answer, or refused to be asked
    + TimedOut
    + OutcomeUnknown       an effect outside may or may not have taken place: a person must look

Anything else raised by a tool is a bug: it ends the run and is logged.
"""

from __future__ import annotations

from typing import ClassVar


class ToolError(Exception):
    """The model is told."""

    code: ClassVar[str] = "tool_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ToolRetry(ToolError):
    """The arguments can be mended: call again."""

    code = "tool_retry"


class InvalidArguments(ToolRetry):
    """The arguments do not have the tool's shape, or contradict each other."""

    code = "invalid_arguments"


class NotFound(ToolRetry):
    """No {kind} {identifier!r}. {hint}"""

    code = "not_found"

    def __init__(self, kind: str, identifier: str, *, hint: str = "") -> None:
        super().__init__(f"No {kind} {identifier!r}." + (f" {hint}" if hint else ""))
        self.kind = kind
        self.identifier = identifier


class ToolFailed(ToolError):
    """No other arguments will help."""

    code = "tool_failed"


class Conflict(ToolFailed):
    """The world is not in the state this needs: already issued, already paid."""

    code = "conflict"


class Blocked(Conflict):
    """A check forbids it, and whatever else has effects, until the person has spoken again."""

    code = "blocked"


class PaymentDeclined(ToolFailed):
    """The customer's bank or card refuses the payment; no money was taken."""

    code = "payment_declined"


class Unavailable(ToolFailed):
    """The system behind the tool does not answer."""

    code = "unavailable"


class OutcomeUnknown(ToolFailed):
    """An effect outside may or may not have taken place; it is never tried again by itself."""

    code = "outcome_unknown"


class TimedOut(ToolFailed):
    """The tool did not finish within its timeout."""

    code = "timed_out"
