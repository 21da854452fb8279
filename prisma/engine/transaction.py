"""An interactive transaction, as the engine hands it out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Literal, TypeVar

from prisma.drivers.base import Driver, Report, Session, Work
from prisma.engine.types import IsolationLevel
from prisma.errors import TransactionError, TransactionExpiredError

T = TypeVar("T")
State = Literal["open", "committed", "rolled back", "expired"]


class Transaction:
    """Names a running transaction for `Engine.execute(..., tx=...)`; made by `Engine.tx()` only."""

    def __init__(self, session: Session, *, timeout: float) -> None:
        self.state: State = "open"
        self._session = session
        self._timeout = timeout
        self._timer = asyncio.get_running_loop().call_later(timeout, self._expire)

    async def run(self, work: Work[T], report: Report | None) -> T:
        """Do a piece of work inside the transaction.

        Raises:
            TransactionExpiredError: The transaction is past its timeout, before or while the work ran.
            TransactionError: It has been committed or rolled back already.
        """
        self._check("query")
        return await self._unless_expired(self._session.run(work, report))

    async def commit(self) -> None:
        self._check("commit")
        self._close("committed")
        await self._session.commit()

    async def rollback(self) -> None:
        if self.state == "open":
            self._close("rolled back")
            await self._session.rollback()

    def abort(self) -> None:
        """Roll back in the background."""
        if self.state == "open":
            self._close("rolled back")
            self._session.abort()

    def _expire(self) -> None:
        if self.state == "open":
            self._close("expired")
            self._session.abort()

    def _close(self, state: State) -> None:
        self.state = state
        self._timer.cancel()

    def _check(self, operation: str) -> None:
        if self.state == "expired":
            raise self._expired(operation)
        if self.state != "open":
            raise TransactionError(f"A {operation} cannot be executed on a transaction that was {self.state}.")

    def _expired(self, operation: str) -> TransactionExpiredError:
        return TransactionExpiredError(
            f"A {operation} cannot be executed on an expired transaction: its timeout was {self._timeout:g} s."
        )

    async def _unless_expired(self, running: Coroutine[Any, Any, T]) -> T:
        try:
            return await running
        except Exception as error:
            if self.state == "expired":
                raise self._expired("query") from error
            raise


class TransactionContext:
    """`async with`: commits at the end of the block, rolls back when it raises or is cancelled."""

    def __init__(self, driver: Driver, isolation: IsolationLevel | None, max_wait: float, timeout: float) -> None:
        self._driver = driver
        self._isolation: IsolationLevel | None = isolation
        self._max_wait = max_wait
        self._timeout = timeout
        self._transaction: Transaction | None = None

    async def __aenter__(self) -> Transaction:
        session = await self._driver.begin(self._isolation, max_wait=self._max_wait)
        self._transaction = Transaction(session, timeout=self._timeout)
        return self._transaction

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        transaction = self._transaction
        assert transaction is not None
        if kind is None:
            await transaction.commit()
        elif issubclass(kind, Exception):
            await transaction.rollback()
        else:  # cancelled: waiting for the database here could be cut short again
            transaction.abort()
