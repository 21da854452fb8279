"""Transactions that behave as if they ran one after the other: tried again when the database says they did not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from prisma.engine.types import IsolationLevel
from prisma.errors import WriteConflictError

T = TypeVar("T")
X_co = TypeVar("X_co", covariant=True)
ATTEMPTS = 30
FIRST_DELAY = 0.005  # seconds
MAX_DELAY = 0.25  # seconds


class Begins(Protocol[X_co]):
    """`Engine.tx`, or a client's."""

    def __call__(
        self, *, isolation: IsolationLevel | None = None, max_wait: float = 2.0, timeout: float = 5.0
    ) -> AbstractAsyncContextManager[X_co]: ...


async def in_serializable_transaction(
    begin: Begins[X_co],
    function: Callable[[X_co], Awaitable[T]],
    *,
    attempts: int = ATTEMPTS,
    max_wait: float = 30.0,
    timeout: float = 5.0,  # noqa: ASYNC109 - handed to the transaction
) -> T:
    """Run `function` in a serializable transaction; run all of it again when it conflicted with another one.

    The function must do nothing but database work that goes through the transaction it is given: it may run several
    times. Between attempts there is a pause, random so that those who collided do not meet again (full jitter).

    Args:
        begin: `engine.tx`, or `db.tx` of a client.
        attempts: How often it is tried before the conflict is raised.
        max_wait: Seconds to wait for a connection, an attempt.
        timeout: Seconds that an attempt may take.

    Raises:
        WriteConflictError: It conflicted at every attempt.
    """
    for attempt in range(1, attempts + 1):
        try:
            async with begin(isolation="Serializable", max_wait=max_wait, timeout=timeout) as transaction:
                return await function(transaction)
        except WriteConflictError:
            if attempt == attempts:
                raise
        ceiling = min(MAX_DELAY, FIRST_DELAY * 2 ** min(attempt, 16))
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311 - no secret depends on it
    raise AssertionError("unreachable: the last attempt returns or raises")
