"""An interactive transaction, as the engine hands it out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Literal, TypeVar

from prisma.drivers.base import Driver, Report, Session, Work
from prisma.engine.types import IsolationLevel
from prisma.errors import PrismaError, TransactionError, TransactionExpiredError

T = TypeVar("T")
State = Literal["open", "committed", "rolled back", "cancelled", "expired"]


class Transaction:
    """Names a running transaction for `Engine.execute(..., tx=...)`; made by `Engine.tx()` only."""

    def __init__(self, session: Session, *, timeout: float) -> None:
        self.state: State = "open"
        self._session = session
        self._timeout = timeout
        self._timer = asyncio.get_running_loop().call_later(timeout, self._expire)

    async def run(self, work: Work[T], report: Report | None) -> T:
        """Do a piece of work inside the transaction.

        Work that is cancelled takes the transaction with it: half of the work may have been done.

        Raises:
            TransactionExpiredError: The transaction is past its timeout, before or while the work ran.
            TransactionError: It has been committed, rolled back or cancelled already.
        """
        self._check("query")
        try:
            return await self._session.run(work, report)
        except asyncio.CancelledError:
            self._abort("cancelled")
            raise
        except Exception as error:
            if self.state == "expired":
                raise self._expired("query") from error
            raise

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
        self._abort("rolled back")

    def _expire(self) -> None:
        self._abort("expired")

    def _abort(self, state: State) -> None:
        if self.state == "open":
            self._close(state)
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
            with suppress(PrismaError):  # why the block failed is what the caller must hear
                await transaction.rollback()
        else:  # cancelled: waiting for the database here could be cut short again
            transaction.abort()
