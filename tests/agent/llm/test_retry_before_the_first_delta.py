from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from agent.llm import retry
from agent.llm.base import Delta
from agent.llm.errors import ContextOverflow, ModelError, ModelUnavailable, StreamBroken
from agent.llm.retry import until_it_starts
from tests.support.deltas import Answer, whole

NOTHING: list[str] = []


class Attempts:
    """Each attempt gives its deltas and then raises its error."""

    def __init__(self, *scripts: tuple[list[str], ModelError | None]) -> None:
        self._scripts = list(scripts)
        self.made = 0
        self.closed = 0

    async def __call__(self) -> AsyncGenerator[Delta, None]:
        self.made += 1
        texts, error = self._scripts.pop(0)
        try:
            for text in texts:
                yield Delta(text=text)
            if error is not None:
                raise error
        finally:
            self.closed += 1


class Waits(list[float]):
    """Sleeps not at all, and remembers for how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def texts(attempts: Attempts, waits: Waits | None = None) -> list[str]:
    return [delta.text async for delta in until_it_starts(attempts, sleep=Waits() if waits is None else waits)]


async def test_a_server_that_recovers_is_asked_again():
    attempts = Attempts(([], ModelUnavailable("busy")), ([], StreamBroken("reset")), (["a", "b"], None))
    assert await texts(attempts) == ["a", "b"]
    assert attempts.made == attempts.closed == 3


async def test_nothing_is_asked_again_once_something_was_streamed():
    attempts = Attempts((["a"], StreamBroken("reset")), (["a", "b"], None))
    got = Answer()
    with pytest.raises(StreamBroken, match="reset"):
        await whole(until_it_starts(attempts), got)
    assert got.text == "a"
    assert attempts.made == 1


async def test_the_last_error_is_the_one_that_is_told():
    attempts = Attempts(*((NOTHING, ModelUnavailable(f"busy {n}")) for n in range(retry.TRIES)))
    with pytest.raises(ModelUnavailable, match=f"busy {retry.TRIES - 1}"):
        await texts(attempts)


async def test_what_will_not_get_better_is_not_asked_again():
    attempts = Attempts(([], ContextOverflow("too long")))
    with pytest.raises(ContextOverflow):
        await texts(attempts)
    assert attempts.made == 1


async def test_the_server_says_how_long_to_wait_within_reason():
    waits = Waits()
    busy, very_busy = ModelUnavailable("busy", retry_after=2.0), ModelUnavailable("busy", retry_after=3600.0)
    await texts(Attempts(([], busy), ([], very_busy), (["a"], None)), waits)
    assert waits == [2.0, retry.LONGEST_WAIT]


async def test_an_answer_that_ends_before_it_begins_is_broken():
    with pytest.raises(StreamBroken, match="before it began"):
        await texts(Attempts(*[(NOTHING, None)] * retry.TRIES))


async def test_closing_the_answer_closes_the_attempt():
    attempts = Attempts((["a", "b"], None))
    deltas = until_it_starts(attempts)
    await anext(deltas)
    await deltas.aclose()
    assert attempts.closed == 1
