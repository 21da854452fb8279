"""Transactions that are tried again when the database says that they conflicted with another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from prisma.engine.retry import ATTEMPTS, in_serializable_transaction
from prisma.runtime.client import BasePrisma

ResultT = TypeVar("ResultT")
ClientT = TypeVar("ClientT", bound=BasePrisma[Any])


async def serializable(
    db: ClientT,
    work: Callable[[ClientT], Awaitable[ResultT]],
    *,
    attempts: int = ATTEMPTS,
    max_wait: float = 30.0,
    timeout: float = 5.0,  # noqa: ASYNC109 - the time limit of the transaction, not of this function
) -> ResultT:
    """Run `work` in a serializable transaction, again from the start when it conflicts with another one.

        async def take_number(tx: Prisma) -> int: ...
        number = await serializable(db, take_number)

    `work` may run several times, so it changes nothing but the database.

    Args:
        attempts: At most so many runs, at least one.
        max_wait: Seconds to wait for a connection, each time.
        timeout: Seconds for one run.

    Raises:
        WriteConflictError: The last attempt conflicted too.
    """
    if attempts < 1:
        raise ValueError(f"attempts must be at least 1, not {attempts}.")
    return await in_serializable_transaction(db.tx, work, attempts=attempts, max_wait=max_wait, timeout=timeout)
