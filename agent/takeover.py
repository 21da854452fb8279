"""What a process must know of those that worked on a run before it and died."""

from __future__ import annotations

from collections.abc import Sequence

from agent.event_log import MAX_BEHIND
from agent.records import StoredEvent

MAX_RECOVERIES = 10  # without anything new: a run that kills its process must not kill them all
SKIPPED = 2 * MAX_BEHIND  # sequence numbers left out after a crash: readers may have seen some that were never stored


def first_unseen(stored: int, *, attempt: int) -> int:
    """Above this number nobody has told anything yet, in any earlier attempt.

    Each takeover goes further than the one before, for what that one told may never have been stored either.
    """
    return stored + SKIPPED * attempt


def is_stuck(told: Sequence[StoredEvent], *, recoveries: int) -> bool:
    """Whether a stretch was taken over again and again and told nothing new: it may be what kills the processes."""
    in_vain = 0
    for event in told:
        if event.type == "run.resumed":
            in_vain += 1
        elif event.type != "token":
            in_vain = 0
    return in_vain > MAX_RECOVERIES or recoveries > MAX_RECOVERIES**2
