"""Times of the sides, taken in turns, and their ratios."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count

from benchmarks.prisma.sides import Side

AT_ONCE = 100
OPERATIONS = ("find_unique", "find_many_with_include", "create", "nested_create")
SIZES = {"find_unique": 200, "find_many_with_include": 100, "create": 100, "nested_create": 100}  # in one repetition
_numbers = count()


@dataclass(frozen=True)
class Measured:
    """One operation in one mode.

    `ratio` is the median over the repetitions of (the reference's time / ours): above 1, ours is faster.
    """

    operation: str
    mode: str
    side: str
    per_second: float
    ratio: float
    spread: tuple[float, float]


async def measure(reference: Side, others: Sequence[Side], *, repetitions: int) -> list[Measured]:
    """Every operation, one after the other and a hundred at once. The sides take turns, each time in another order."""
    sides = [reference, *others]
    for side in sides:  # plans compiled, statements prepared, connections opened
        for operation in OPERATIONS:
            await _at_once(side, operation, AT_ONCE)
    found: list[Measured] = []
    for operation in OPERATIONS:
        for mode, run in (("sequential", _sequential), ("100 at once", _at_once)):
            times = await _interleaved(sides, operation, run, repetitions)
            for side in others:
                ratios = [theirs / ours for theirs, ours in zip(times[reference.name], times[side.name], strict=True)]
                rate = SIZES[operation] / statistics.median(times[side.name])
                spread = (min(ratios), max(ratios))
                found.append(Measured(operation, mode, side.name, rate, statistics.median(ratios), spread))
    return found


async def _interleaved(
    sides: Sequence[Side], operation: str, run: Callable[[Side, str, int], Awaitable[None]], repetitions: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    for repetition in range(repetitions):
        turn = repetition % len(sides)
        for side in [*sides[turn:], *sides[:turn]]:
            gc.collect()
            start = time.perf_counter()
            await run(side, operation, SIZES[operation])
            times[side.name].append(time.perf_counter() - start)
    return times


async def _one(side: Side, operation: str) -> None:
    number = next(_numbers)
    match operation:
        case "find_unique":
            found = await side.find_unique(number)
        case "find_many_with_include":
            found = await side.find_many_with_include(number)
        case "create":
            found = await side.create(uuid.uuid4().hex)
        case _:
            found = await side.nested_create(uuid.uuid4().hex)
    assert found, f"{side.name} found nothing for {operation}"


async def _sequential(side: Side, operation: str, size: int) -> None:
    for _ in range(size):
        await _one(side, operation)


async def _at_once(side: Side, operation: str, size: int) -> None:
    async def worker(share: int) -> None:
        for _ in range(share):
            await _one(side, operation)

    shares = [size // AT_ONCE + (number < size % AT_ONCE) for number in range(AT_ONCE)]
    await asyncio.gather(*[worker(share) for share in shares])
