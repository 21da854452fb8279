"""What is tried again while the database is busy: how often, and what of it is told."""

from __future__ import annotations

import gc

import pytest
from tenacity import AsyncRetrying

from agent.event_store import again
from prisma.errors import UniqueViolationError, WriteConflictError

BUSY = WriteConflictError("busy", code="P2034")


async def fail(*errors: Exception, told: list[int], seconds: float = 30.0) -> None:
    """Raise one error in each attempt, and the last again and again."""
    async for attempt in again(seconds):
        with attempt:
            told.append(attempt.number)
            raise errors[min(len(told), len(errors)) - 1]


async def test_what_succeeds_at_once_is_tried_once_and_leaves_nothing_behind():
    before = sum(isinstance(kept, AsyncRetrying) for kept in gc.get_objects())
    numbers: list[int] = []
    async for attempt in again():
        with attempt:
            numbers.append(attempt.number)
    assert numbers == [1]
    assert sum(isinstance(kept, AsyncRetrying) for kept in gc.get_objects()) == before


async def test_what_is_busy_is_tried_until_it_succeeds():
    numbers: list[int] = []
    async for attempt in again():
        with attempt:
            numbers.append(attempt.number)
            if len(numbers) < 4:
                raise BUSY
    assert numbers == [1, 2, 3, 4]


async def test_the_last_error_is_raised_when_patience_ends():
    told: list[int] = []
    with pytest.raises(WriteConflictError):
        await fail(BUSY, told=told, seconds=0.1)
    assert len(told) > 1


@pytest.mark.parametrize("before", [0, 2])
async def test_what_will_not_get_better_is_raised_at_once(before: int):
    told: list[int] = []
    with pytest.raises(UniqueViolationError):
        await fail(*[BUSY] * before, UniqueViolationError("twice", code="P2002"), told=told)
    assert len(told) == before + 1
