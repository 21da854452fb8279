"""What readers of the agent get."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agent.events import ErrorInfo, UsageInfo

RunStatus = Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled"]
ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
RESTING: frozenset[str] = ENDED | {"waiting"}


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a run. `data` is its JSON, serialised once: the same bytes for every reader."""

    sequence: int
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its row tells. `answer` is the text of its last `message`, empty before."""

    id: str
    tenant_id: str
    thread_id: str
    status: RunStatus
    input: str
    model: str
    answer: str
    created_at: datetime
    finished_at: datetime | None = None
    usage: UsageInfo = field(default_factory=UsageInfo)
    error: ErrorInfo | None = None
