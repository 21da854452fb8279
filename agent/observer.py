"""What an operator may learn of runs: plain records, handed over once a run, a model's answer or a tool's call.

Nothing here is called per token. An observer must not raise, wait, or keep what it is given: it runs on the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agent.events import FinalStatus, UsageInfo

if TYPE_CHECKING:
    from agent.principal import Principal
    from agent.state import Timing
    from tools.registry import Effect


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A stretch of work on a run begins. `resumed`: after a decision, or after another process died."""

    run_id: str
    thread_id: str
    principal: Principal
    model: str
    input: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class ModelCalled:
    """One answer of the model, or one attempt at it.

    Attributes:
        began_ns: Wall clock, nanoseconds since 1970.
        seconds: Until it was whole or had failed.
        first_token_seconds: Until the first thing it generated arrived; None when nothing did.
        error: Code of what went wrong; None when nothing did.
    """

    run_id: str
    model: str
    began_ns: int
    seconds: float
    first_token_seconds: float | None
    input_tokens: int
    output_tokens: int
    max_tokens: int
    finish: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """One call of a tool that ran. What was recorded before a crash is not told again."""

    run_id: str
    call_id: str
    tool: str
    effect: Effect
    began_ns: int
    seconds: float
    status: str
    error: str | None


@dataclass(frozen=True, slots=True)
class RunRested:
    """A run's end, or its rest on an approval. `answer` is what the person was told last."""

    run_id: str
    model: str
    status: FinalStatus
    error: str | None
    usage: UsageInfo
    timing: Timing
    seconds: float
    answer: str


class Observer:
    """Sees nothing; subclasses look at what concerns them."""

    def run_submitted(self, run_id: str) -> None:
        """A request was recorded. Called in the request's context."""

    def run_began(self, run: RunBegan) -> None: ...

    def model_called(self, call: ModelCalled) -> None: ...

    def tool_called(self, call: ToolCalled) -> None: ...

    def judged(self, kind: Literal["policy", "guard"], rule: str, verdict: str) -> None: ...

    def run_rested(self, rest: RunRested) -> None: ...

    def run_left(self, run_id: str) -> None:
        """This process lets go of a run that goes on elsewhere, or after the next start."""


class Observers(Observer):
    """Tells several."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._all = tuple(observers)

    def run_submitted(self, run_id: str) -> None:
        for one in self._all:
            one.run_submitted(run_id)

    def run_began(self, run: RunBegan) -> None:
        for one in self._all:
            one.run_began(run)

    def model_called(self, call: ModelCalled) -> None:
        for one in self._all:
            one.model_called(call)

    def tool_called(self, call: ToolCalled) -> None:
        for one in self._all:
            one.tool_called(call)

    def judged(self, kind: Literal["policy", "guard"], rule: str, verdict: str) -> None:
        for one in self._all:
            one.judged(kind, rule, verdict)

    def run_rested(self, rest: RunRested) -> None:
        for one in self._all:
            one.run_rested(rest)

    def run_left(self, run_id: str) -> None:
        for one in self._all:
            one.run_left(run_id)
