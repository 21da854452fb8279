"""What may go wrong with a model, and what the person who runs it should do.

* ModelError             the run ends `failed`; `message` may be shown, it says what to do
  x ModelNotFound        the server has no such model          `ollama pull qwen3:8b`
  x ModelUnavailable     nobody answers, or it is overloaded
  x WeightsUnavailable   the embedded model cannot be fetched, does not fit or is not the pinned file
  x ContextOverflow      the conversation is longer than the model can read
  x MalformedAnswer      not the JSON or the tool call that was asked for
  x StreamBroken         it stopped in the middle of its answer
"""

from __future__ import annotations

from typing import ClassVar


class ModelError(Exception):
    """Something is wrong with the model."""

    code: ClassVar[str] = "model_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelNotFound(ModelError):
    """The server has no such model."""

    code = "model_not_found"


class ModelUnavailable(ModelError):
    """Nobody answers, or it is overloaded. `retry_after`: seconds that the server asks for, where it does."""

    code = "model_unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class WeightsUnavailable(ModelError):
    """The embedded model cannot be fetched, does not fit or is not the pinned file."""

    code = "weights_unavailable"


class ContextOverflow(ModelError):
    """The conversation is longer than the model can read."""

    code = "context_overflow"


class MalformedAnswer(ModelError):
    """Not the JSON or the tool call that was asked for."""

    code = "malformed_answer"


class StreamBroken(ModelError):
    """It stopped in the middle of its answer."""

    code = "stream_broken"
