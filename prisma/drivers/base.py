"""What the engine asks of a database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:  # the engine imports the drivers; SQLite needs no asyncpg
    from asyncpg import Record

    from prisma.engine.types import IsolationLevel, Provider


T = TypeVar("T")
Row: TypeAlias = "tuple[Any, ...] | Record"
Rows: TypeAlias = Sequence[Row]
TRANSACTION_GONE = "The transaction is no longer there: the database rolled it back."


class Statements(Protocol):
    """One connection while a piece of work has it.

    Every method raises the errors of `prisma.errors`. `begin` nests: inside a transaction it sets a savepoint.
    """

    last_insert_id: int | None

    async def query(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """The rows; all of them are read before this returns."""
        ...

    def columns(self) -> Sequence[str]:
        """Names of the columns of the last query that gave rows."""
        ...

    async def query_raw(self, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        """The rows of a query whose types the engine does not know, as Python values by column."""
        ...

    async def execute(self, sql: str, parameters: Sequence[Any]) -> int:
        """Number of rows affected."""
        ...

    async def execute_raw(self, sql: str, parameters: Sequence[Any]) -> int:
        """Like `execute`, for values whose types the engine does not know."""
        ...

    async def begin(self) -> None: ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...


Work: TypeAlias = Callable[[Statements], Awaitable[T]]
Report: TypeAlias = Callable[[str, int, float], None]  # SQL, number of parameters, seconds; called on the event loop


class Session(Protocol):
    """An interactive transaction: a connection of its own, one piece of work at a time."""

    async def run(self, work: Work[T], report: Report | None) -> T: ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...

    def abort(self) -> None:
        """Stop what is running and roll back in the background; the connection is given back when that is done."""
        ...


class Driver(Protocol):
    """A database with its pool of connections. `run` and `begin` are safe to cancel at any await."""

    provider: Provider
    max_parameters: int
    schema_name: str | None  # PostgreSQL: the schema that the URL names

    async def open(self) -> None:
        """Check that the database can be reached."""
        ...

    async def close(self) -> None:
        """Close every connection, after what is running has ended."""
        ...

    def bind(self, kind: dict[str, Any]) -> Callable[[Any], Any] | None:
        """How a value of a plan's argument type is written for this driver; None when it goes as it is."""
        ...

    async def run(self, work: Work[T], *, writes: bool, report: Report | None) -> T:
        """Do a piece of work on a connection; nothing of it is half done when it raises or is cancelled."""
        ...

    async def begin(self, isolation: IsolationLevel | None, *, max_wait: float) -> Session:
        """Start an interactive transaction.

        Raises:
            TransactionNotStartedError: No connection was free within `max_wait` seconds.
        """
        ...
