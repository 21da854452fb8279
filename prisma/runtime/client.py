"""Base of the generated client: connection, transactions, raw queries, batches."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from prisma.errors import TransactionError
from prisma.runtime.actions import Actions
from prisma.runtime.batch import BaseBatch
from prisma.runtime.session import Session, Vocabularies

if TYPE_CHECKING:
    from pydantic import BaseModel

    from prisma.assets import Progress
    from prisma.engine import Engine, EngineOptions, IsolationLevel, QueryEvent, Transaction

BatchT = TypeVar("BatchT", bound=BaseBatch)
ModelT = TypeVar("ModelT", bound="BaseModel")

DEFAULT_URL = "file:./deskclerk.db"
read_schema = cache(Path.read_text)


class BasePrisma(Generic[BatchT]):
    """The database.

    Args:
        url: `file:./app.db`, `file::memory:` or `postgresql://...`; else `DATABASE_URL`, else `file:./deskclerk.db`.
        log_queries: Log each statement, without its values, to the logger `prisma` at level DEBUG.
        on_query: Called after each statement.
        options: Size of the pool and timeouts.
    """

    _vocabularies: ClassVar[Vocabularies]
    _schema_path: ClassVar[Path]
    _batch_class: type[BatchT]

    def __init__(
        self,
        url: str | None = None,
        *,
        log_queries: bool = False,
        on_query: Callable[[QueryEvent], None] | None = None,
        options: EngineOptions | None = None,
    ) -> None:
        self.url = url or os.environ.get("DATABASE_URL") or DEFAULT_URL
        listeners = [options and options.on_query, on_query, _log if log_queries else None]
        self._on_query = _all_of([listener for listener in listeners if listener is not None])
        self._options = options
        self._engine: Engine | None = None
        self._session = Session()
        self._vocabulary = self._vocabularies("sqlite" if self.url.startswith(("file:", "sqlite:")) else "postgresql")

    # ------------------------------------------------------------ connection

    @property
    def engine(self) -> Engine:
        """The engine underneath, for what has no action of its own."""
        if self._engine is None:
            from prisma.engine import Engine, EngineOptions  # loads wasmtime and a driver

            options = replace(self._options or EngineOptions(), on_query=self._on_query)
            self._engine = Engine.create(schema=read_schema(self._schema_path), url=self.url, options=options)
        return self._engine

    def use_engine(self, engine: Engine) -> None:
        """Run on this engine instead of one made from the URL: one of another client, or one that a test made."""
        self._engine = engine

    async def connect(self, *, progress: Progress | None = None) -> None:
        """Open the pool. Does nothing when connected already.

        Args:
            progress: Told from another thread what is being fetched or compiled, the first time on a machine.
        """
        await (self.engine.connect() if progress is None else self.engine.connect(progress=progress))
        self._session.connected = self.engine

    async def disconnect(self) -> None:
        """Close every connection, after what is running has ended."""
        self._session.connected = None
        if self._engine is not None:
            await self._engine.disconnect()

    def is_connected(self) -> bool:
        """Whether `connect()` was called, and `disconnect()` not since."""
        return self._session.connected is not None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()

    # ------------------------------------------------------------ transactions

    def is_transaction(self) -> bool:
        """Whether this client is one that `tx()` gave."""
        return self._session.tx is not None

    @asynccontextmanager
    async def tx(
        self,
        *,
        isolation: IsolationLevel | None = None,
        max_wait: float = 2.0,
        timeout: float = 5.0,  # noqa: ASYNC109 - the database's own time limit, not a wait
    ) -> AsyncGenerator[Self]:
        """A client whose operations are one transaction: committed at the end of the block, rolled back when it raises.

        Args:
            isolation: Else the database's own default.
            max_wait: Seconds to wait for a connection.
            timeout: Seconds after which the transaction is rolled back.

        Raises:
            TransactionError: This client is a transaction already, or none could be had.
        """
        if self.is_transaction():
            raise TransactionError("This client is a transaction already; it cannot hold another one.")
        async with self._session.engine.tx(isolation=isolation, max_wait=max_wait, timeout=timeout) as transaction:
            yield self._within(transaction)

    def _within(self, transaction: Transaction) -> Self:
        inner = object.__new__(type(self))
        kept = ("url", "_options", "_on_query", "_engine", "_vocabulary")
        inner.__dict__.update({name: self.__dict__[name] for name in kept})
        inner._session = Session()
        inner._session.connected, inner._session.tx = self._session.connected, transaction
        return inner

    def batch_(self) -> BatchT:
        """Writes to collect and run together: see `BaseBatch`."""
        return self._batch_class(self._session, self._vocabulary)

    # ------------------------------------------------------------ queries

    @overload
    async def query_raw(self, query: str, *parameters: Any) -> list[dict[str, Any]]: ...
    @overload
    async def query_raw(self, query: str, *parameters: Any, model: type[ModelT]) -> list[ModelT]: ...
    async def query_raw(self, query: str, *parameters: Any, model: type[BaseModel] | None = None) -> Any:
        """Rows of a query in the database's own SQL. Values go in as parameters: `?` on SQLite, `$1` on PostgreSQL.

        Args:
            model: A pydantic model to validate each row with, else they are dicts.
        """
        rows = await self._session.engine.query_raw(query, *parameters, tx=self._session.tx)
        return rows if model is None else [model.model_validate(row) for row in rows]

    @overload
    async def query_first(self, query: str, *parameters: Any) -> dict[str, Any] | None: ...
    @overload
    async def query_first(self, query: str, *parameters: Any, model: type[ModelT]) -> ModelT | None: ...
    async def query_first(self, query: str, *parameters: Any, model: type[BaseModel] | None = None) -> Any:
        """The first row of `query_raw`, or None."""
        rows = await self._session.engine.query_raw(query, *parameters, tx=self._session.tx)
        if not rows:
            return None
        return rows[0] if model is None else model.model_validate(rows[0])

    async def execute_raw(self, query: str, *parameters: Any) -> int:
        """Number of rows that a statement in the database's own SQL affected."""
        return await self._session.engine.execute_raw(query, *parameters, tx=self._session.tx)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            model = self._vocabulary.model_of(name, type(self).__name__)
            actions = self.__dict__[name] = Actions(self._vocabulary.terms(model), self._session)
            return actions


def _log(event: QueryEvent) -> None:
    import logging

    logging.getLogger("prisma").debug(
        "query", extra={"sql": event.sql, "parameters": event.parameter_count, "seconds": event.duration}
    )


def _all_of(listeners: list[Callable[[QueryEvent], None]]) -> Callable[[QueryEvent], None] | None:
    if len(listeners) < 2:
        return listeners[0] if listeners else None

    def call_all(event: QueryEvent) -> None:
        for listener in listeners:
            listener(event)

    return call_all
