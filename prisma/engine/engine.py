"""The engine of one database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, TypeVar

from prisma.assets import Progress, silent
from prisma.drivers.base import Driver, Report, Statements, Work
from prisma.drivers.connect import make_driver, provider_of
from prisma.engine.datasource import with_provider
from prisma.engine.parameterize import Parameterizer
from prisma.engine.plan.compile import Plan
from prisma.engine.planner import Compilations, Planner, load_planner
from prisma.engine.transaction import Transaction, TransactionContext
from prisma.engine.types import EngineOptions, IsolationLevel, JsonQuery, Provider, QueryEvent
from prisma.errors import ClientNotConnectedError, DataError, RawQueryError, WriteConflictError

T = TypeVar("T")
DEFAULT_OPTIONS = EngineOptions()
READS = ("SELECT", "VALUES", "EXPLAIN")  # raw statements that need no writing connection


class Engine:
    """Plans and runs Prisma operations on one database. For one event loop."""

    def __init__(self, schema: str, provider: Provider, driver: Driver, options: EngineOptions) -> None:
        self.provider: Provider = provider
        self.driver = driver
        self._schema = schema
        self._options = options
        self._planner: Planner | None = None
        self._compilations = Compilations()

    @classmethod
    def create(cls, *, schema: str, url: str, options: EngineOptions = DEFAULT_OPTIONS) -> Engine:
        """An engine, not yet connected.

        Args:
            schema: Text of schema.prisma; its datasource provider is replaced by that of `url`.
            url: `file:./app.db`, `file::memory:` or `postgresql://...`.

        Raises:
            SchemaError: The schema has no datasource.
            InputError: The URL is of no database known here.
        """
        provider = provider_of(url)
        return cls(with_provider(schema, provider), provider, make_driver(url, options), options)

    @property
    def connected(self) -> bool:
        return self._planner is not None

    @property
    def cached_plans(self) -> int:
        """How many compiled plans are kept for this schema."""
        return 0 if self._planner is None else len(self._planner.plans)

    async def connect(self, *, progress: Progress = silent) -> None:
        """Load the compiler and open the pool. Does nothing when connected already.

        Args:
            progress: Told from another thread what is being fetched or compiled, the first time on a machine.

        Raises:
            EngineSetupError: Prisma's compiler cannot be had.
            SchemaError: The schema is not valid.
            DatabaseConnectionError: The database cannot be reached.
        """
        if self._planner is not None:
            return
        planner = await asyncio.to_thread(
            load_planner, self._schema, self.driver, cache_size=self._options.plan_cache_size, progress=progress
        )
        await self.driver.open()
        self._planner = planner

    async def disconnect(self) -> None:
        """Close every connection, after what is running has ended. The engine may be connected again."""
        self._planner = None
        await self.driver.close()

    async def execute(self, query: JsonQuery, *, tx: Transaction | None = None) -> Any:
        """Run one operation and return its result.

        Raises:
            DataError: The operation is wrong or failed; see `prisma.errors`.
            TransactionError: `tx` is over.
        """
        model, action = query.get("modelName"), query["action"]
        try:
            plan, values = await self._plan(query)
            report = self._report(model, action)

            def work(statements: Statements) -> Any:
                return plan.run(statements, values)

            if tx is not None:
                return await tx.run(work, report)
            return await self.driver.run(work, writes=plan.writes, report=report)
        except DataError as error:
            self._blame(error, query)
            raise

    async def batch(self, queries: Sequence[JsonQuery], *, tx: Transaction | None = None) -> list[Any]:
        """Run operations in order in one transaction: all of them happen, or none.

        With `tx` they run inside it; then a failure leaves the transaction to its owner.
        """
        planned = [(query, *await self._plan_of(query)) for query in queries]

        async def work(statements: Statements) -> list[Any]:
            await statements.begin()
            results: list[Any] = []
            for query, plan, values in planned:
                try:
                    results.append(await plan.run(statements, values))
                except Exception as error:
                    if isinstance(error, DataError):
                        self._blame(error, query)
                    with suppress(DataError):  # the reason is what the caller must hear
                        await statements.rollback()
                    raise
            await statements.commit()
            return results

        report = self._report(None, "batch")
        if tx is not None:
            return await tx.run(work, report)
        writes = any(plan.writes for _, plan, _ in planned)
        return await self.driver.run(work, writes=writes, report=report)

    async def query_raw(self, sql: str, *parameters: Any, tx: Transaction | None = None) -> list[dict[str, Any]]:
        """Rows of a query in the database's own SQL (`?` on SQLite, `$1` on PostgreSQL).

        Raises:
            RawQueryError: The database refused it; `meta["code"]` is the database's own code.
        """

        async def work(statements: Statements) -> list[dict[str, Any]]:
            return await statements.query_raw(sql, parameters)

        return await self._raw(work, sql, "queryRaw", tx)

    async def execute_raw(self, sql: str, *parameters: Any, tx: Transaction | None = None) -> int:
        """Number of rows that a statement affected.

        Raises:
            RawQueryError: The database refused it; `meta["code"]` is the database's own code.
        """

        async def work(statements: Statements) -> int:
            return await statements.execute_raw(sql, parameters)

        return await self._raw(work, sql, "executeRaw", tx)

    def tx(
        self, *, isolation: IsolationLevel | None = None, max_wait: float = 2.0, timeout: float = 5.0
    ) -> AbstractAsyncContextManager[Transaction]:
        """A transaction: committed at the end of the block, rolled back when it raises.

        Args:
            max_wait: Seconds to wait for a connection.
            timeout: Seconds after which the transaction is rolled back.

        Raises:
            TransactionNotStartedError: No connection was free within `max_wait`.
            TransactionExpiredError: The block took longer than `timeout`.
        """
        self._connected_planner()
        return TransactionContext(self.driver, isolation, max_wait, timeout)

    async def _plan_of(self, query: JsonQuery) -> tuple[Plan, list[Any]]:
        try:
            return await self._plan(query)
        except DataError as error:
            self._blame(error, query)
            raise

    def _blame(self, error: DataError, query: JsonQuery) -> None:
        """Name the model and the fields of the table that the database complains of, which may be that of a nested
        write; else the model of the operation."""
        known = {} if self._planner is None else self._planner.graph.tables
        table = known.get(error.meta.get("table") or "")
        if table is not None:
            error.model, columns = table
            error.fields = tuple(columns.get(name, name) for name in error.fields)
        error.model = error.model or query.get("modelName")

    async def _plan(self, query: JsonQuery) -> tuple[Plan, list[Any]]:
        """The plan of an operation and the values of its parameters; a shape that is not cached is compiled."""
        planner = self._connected_planner()
        parameterizer = Parameterizer(planner.graph)
        shape = parameterizer.shape(query.get("modelName"), query["action"], query["query"])
        values = parameterizer.values
        plan = planner.plans.get(shape)
        if plan is None:
            plan = await self._compilations.plan(shape, lambda: planner.compile(shape, len(values)))
        return plan, values

    async def _raw(self, work: Work[T], sql: str, action: str, tx: Transaction | None) -> T:
        self._connected_planner()
        report = self._report(None, action)
        try:
            if tx is not None:
                return await tx.run(work, report)
            # A function in a SELECT of PostgreSQL may write: it is not sent again when a connection breaks.
            writes = self.provider == "postgresql" or not sql.lstrip().upper().startswith(READS)
            return await self.driver.run(work, writes=writes, report=report)
        except WriteConflictError:
            raise
        except DataError as error:
            raise _raw_error(error) from error

    def _report(self, model: str | None, action: str) -> Report | None:
        hook = self._options.on_query
        if hook is None:
            return None
        return lambda sql, count, duration: hook(QueryEvent(sql, count, duration, model, action))

    def _connected_planner(self) -> Planner:
        if self._planner is None:
            raise ClientNotConnectedError
        return self._planner


def _raw_error(error: DataError) -> DataError:
    """A raw query's failure has one code of its own; only what says nothing about the query keeps its code."""
    if error.code.startswith("P1") or error.code == "P2024":
        return error
    code = error.meta.get("database_code") or "N/A"
    message = error.meta.get("database_error") or error.message
    text = f"Raw query failed. Code: `{code}`. Message: `{message}`"
    return RawQueryError(text, meta={**error.meta, "code": code, "message": message}, fields=error.fields)
