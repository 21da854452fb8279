"""A run that works in this process, and what is known of it when it begins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent.admission import Ticket
from agent.deps import Deps, Head
from agent.event_log import RunLog
from agent.fair import User
from agent.grounding import Grounding
from agent.options import NO_OPTIONS, RunOptions
from agent.principal import Principal
from agent.scope import Scope
from agent.state import RunState

HANDLER = "run"  # of the engine: see agent/durable/base.py


@dataclass(slots=True)
class Opened:
    """A stretch, as far as it could be opened: whoever must end it early ends what there is of it.

    Attributes:
        deps: None until everything is there.
    """

    state: RunState
    grounding: Grounding
    principal: Principal = field(default_factory=lambda: Principal("", None, frozenset()))
    deps: Deps | None = None


@dataclass(slots=True)
class Work:
    """A run that works in this process.

    Attributes:
        user: Who asked: places are shared between users.
        known: What the process that took the request knows already; another one reads it from the run's row.
        urgent: A person has decided: it goes before what waits for a place.
        stuck: It was taken over too often.
        charged: Tokens of earlier stretches.
        head: Whether the engine knows of it, and what its first step gave.
        after_head: Where it goes on once the engine knows of it.
        placed: It has a place.
    """

    run_id: str
    thread_id: str
    stretch: int
    attempt: int
    log: RunLog
    scope: Scope
    user: User = None
    known: Start | None = None
    urgent: bool = False
    stuck: bool = False
    charged: int = 0
    head: Head = field(default_factory=Head)
    after_head: tuple[Deps, Opened] | None = None
    placed: bool = False
    task: asyncio.Task[Any] | None = None

    def close_ticket(self) -> None:
        """What the request had is not needed any more."""
        if self.known is not None and self.known.ticket is not None:
            self.known.ticket.close()


@dataclass(frozen=True, slots=True)
class Start:
    """A run that was just recorded. `documents` are (id, name); `last_state` is what the thread's last run left.
    `first`: there is no history to load."""

    run_id: str
    thread_id: str
    input: str
    principal: Principal
    documents: Sequence[tuple[str, str]] = ()
    queued: bool = False
    first: bool = True
    last_state: Any = None
    ticket: Ticket | None = None
    options: RunOptions = NO_OPTIONS
    queue_ms: int = 0


def work_id(run_id: str, stretch: int) -> str:
    """The engine's name for a stretch of work."""
    return f"{run_id}:{stretch}"


def tokens_of(state: RunState) -> int:
    """Input and output tokens of a run so far."""
    return state["usage"].input_tokens + state["usage"].output_tokens


def milliseconds(span: timedelta) -> int:
    """Two clocks may have told its ends: never less than none."""
    return max(0, round(span.total_seconds() * 1000))
