"""What a try did, as the event logs of its runs tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.registry import Effect

CallStatus = Literal["succeeded", "failed", "refused", "rejected", "unanswered"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that ran or waited for a person; `turn` counts from 1, `result` is as in `tool.result`."""

    tool: str
    arguments: dict[str, Any]
    status: CallStatus
    turn: int = 1
    effect: Effect = "read"
    result: dict[str, Any] | None = None


@dataclass
class Made:
    """The turns of one try. `said` and `statuses` have one entry a turn; `errors` the code of each run that failed.

    `invalid` counts calls that neither ran nor waited: arguments that do not do, or a refusal by policy. `refused`
    counts those that policy refused, at once or later. `seconds` is from the first word to the last rest.
    """

    statuses: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])
    said: list[str] = field(default_factory=list[str])
    executed: list[Call] = field(default_factory=list[Call])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    approvals: int = 0
    invalid: int = 0
    refused: int = 0
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0

    @property
    def calls(self) -> list[Call]:
        """Those that succeeded."""
        return [call for call in self.executed if call.status == "succeeded"]

    def effects(self, turn: int) -> Sequence[Call]:
        """What was done to the world in a turn."""
        return [call for call in self.calls if call.turn == turn and call.effect != "read"]
