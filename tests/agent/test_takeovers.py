"""What a takeover knows of those before it."""

from __future__ import annotations

from itertools import accumulate

import pytest

from agent.records import StoredEvent
from agent.runner import MAX_BEHIND, MAX_RECOVERIES, first_unseen, is_stuck


def told(*types: str) -> list[StoredEvent]:
    return [StoredEvent(number, kind, b"{}") for number, kind in enumerate(types, 1)]


@pytest.mark.parametrize("stored", [0, 1, MAX_BEHIND])
def test_no_takeover_gives_a_number_that_one_before_it_may_have_given(stored: int):
    """Each one stores `stored` events and tells `MAX_BEHIND` and one more, which nobody stores."""
    last, given = 0, 7
    for attempt in range(2, 30):
        base = first_unseen(last, attempt=attempt)
        assert base >= given
        last = base + stored if stored else last
        given = base + stored + MAX_BEHIND + 1


def test_a_stretch_that_kills_its_process_again_and_again_is_given_up():
    in_vain = ["run.resumed", "token"] * (MAX_RECOVERIES + 1)
    assert is_stuck(told("run.started", *in_vain), recoveries=MAX_RECOVERIES + 1)
    assert not is_stuck(told("run.started", *in_vain[2:]), recoveries=MAX_RECOVERIES)


def test_a_stretch_that_gets_further_each_time_is_not_given_up():
    steps = accumulate([("run.resumed", "tool.result")] * MAX_RECOVERIES * 2)
    assert not any(is_stuck(told(*each), recoveries=len(each) // 2) for each in steps)


def test_one_that_dies_before_it_tells_anything_is_given_up_in_the_end():
    assert is_stuck([], recoveries=MAX_RECOVERIES**2 + 1)
