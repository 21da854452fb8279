"""What the agent refuses to do for a caller, by stable code.

* AgentError
  x NotFound                     it is not there, or it is another company's
    + ThreadNotFound
    + RunNotFound
    + ApprovalNotFound
    + DocumentNotFound
    + EffectNotFound
    + ScheduleNotFound
  x Conflict                     not now, or not any more
    + ThreadBusy                 a run of this thread has not ended
    + RunEnded                   there is nothing left to cancel
    + ApprovalNotPending         somebody decided already, or the run has ended
    + ApprovalExpired
    + ApprovalDigestMismatch     what was decided is not what is asked
    + EffectSettled              what became of it is known already
    + ScheduleExists
    + SchedulesOff               nothing here begins by itself
  x Invalid                      the request itself cannot be taken
    + InputTooLong
    + InvalidSchedule
    + IdempotencyConflict        the same key came with another request
  x Forbidden                    the role may not do this
    + NotYours                   it can be seen, and is somebody else's
    + SelfApproval               whoever asked for it may not approve it
  x NotReady                     not started, or stopping
  x TooBusy                      more requests wait than may wait
    + TooManyRuns                of this user
    + QuotaExhausted             the tokens of this user, or of this key, are used up for now

What ends a run is not raised but told in its `run.finished` event: see `agent/ending.py`.
"""

from __future__ import annotations

from typing import ClassVar


class AgentError(Exception):
    """The agent refuses; `message` may be shown to whoever asked."""

    code: ClassVar[str] = "agent_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(AgentError):
    """It is not there, or it is another company's."""

    code = "not_found"
    kind: ClassVar[str] = "object"

    def __init__(self, identifier: str) -> None:
        super().__init__(f"No {self.kind} {identifier!r}.")
        self.identifier = identifier


class ThreadNotFound(NotFound):
    """No thread of that id."""

    code = "thread_not_found"
    kind = "thread"


class RunNotFound(NotFound):
    """No run of that id."""

    code = "run_not_found"
    kind = "run"


class ApprovalNotFound(NotFound):
    """No approval of that id."""

    code = "approval_not_found"
    kind = "approval"


class DocumentNotFound(NotFound):
    """No document of that id."""

    code = "document_not_found"
    kind = "document"


class EffectNotFound(NotFound):
    """No effect of that id."""

    code = "effect_not_found"
    kind = "effect"


class ScheduleNotFound(NotFound):
    """No schedule of that name."""

    code = "schedule_not_found"
    kind = "schedule"


class Conflict(AgentError):
    """Not now, or not any more."""

    code = "conflict"


class ThreadBusy(Conflict):
    """A run of this thread has not ended."""

    code = "thread_busy"


class RunEnded(Conflict):
    """There is nothing left to cancel."""

    code = "run_ended"


class ApprovalNotPending(Conflict):
    """Somebody decided already, or the run has ended."""

    code = "approval_not_pending"


class ApprovalExpired(Conflict):
    """Nobody decided in time."""

    code = "approval_expired"


class ApprovalDigestMismatch(Conflict):
    """What was decided is not what is asked."""

    code = "approval_digest_mismatch"


class EffectSettled(Conflict):
    """What became of it is known already."""

    code = "effect_settled"


class ScheduleExists(Conflict):
    """There is a schedule of that name."""

    code = "schedule_exists"


class SchedulesOff(Conflict):
    """Nothing begins by itself here: runs are not durable."""

    code = "schedules_off"


class Invalid(AgentError):
    """The request itself cannot be taken."""

    code = "invalid_request"


class InputTooLong(Invalid):
    """The request is longer than what is read."""

    code = "input_too_long"


class InvalidSchedule(Invalid):
    """Its times cannot be read or never come, or its name is no name."""

    code = "invalid_schedule"


class IdempotencyConflict(Invalid):
    """The same key came with another request."""

    code = "idempotency_conflict"


class Forbidden(AgentError):
    """The role may not do this."""

    code = "forbidden"


class NotYours(Forbidden):
    """It can be seen, and is somebody else's."""

    code = "not_yours"


class SelfApproval(Forbidden):
    """Whoever asked for it may not approve it."""

    code = "self_approval"


class NotReady(AgentError):
    """Not started, or stopping."""

    code = "not_ready"


class TooBusy(AgentError):
    """More requests wait than may wait."""

    code = "too_busy"

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooManyRuns(TooBusy):
    """As many runs of this user are at work, or wait for that, as may be."""

    code = "too_many_runs"


class QuotaExhausted(TooBusy):
    """The tokens of this user, or of this key, are used up for now."""

    code = "tokens_exhausted"
