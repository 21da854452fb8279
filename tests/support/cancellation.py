"""Cancels a task at the n-th place where it waits, for any n."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any


class _CancelledAt:
    """Awaits something and has the task cancelled when it waits for the n-th time (from 1)."""

    def __init__(self, inner: Awaitable[Any], place: int) -> None:
        self._inner = inner
        self._place = place

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._inner.__await__()
        waits, answer, error = 0, None, None
        while True:
            try:
                waiting_for = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as stop:
                return stop.value
            waits += 1
            if waits == self._place:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            answer, error = None, None
            try:
                answer = yield waiting_for
            except BaseException as raised:  # noqa: BLE001 - handed to the inner steps
                error = raised


async def cancel_at(place: int, work: Callable[[], Awaitable[Any]]) -> bool:
    """Run `work` in a task and cancel it at its n-th wait. False when it ended before."""

    async def run() -> None:
        await _CancelledAt(work(), place)

    task = asyncio.get_running_loop().create_task(run())
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False
