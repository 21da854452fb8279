"""PostgreSQL by asyncpg.

A connection goes back to the pool only when its work has ended. One whose work was cancelled, or failed inside a
transaction, is rolled back in the background first; one that cannot be is closed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from prisma.drivers.base import TRANSACTION_GONE, Report, Rows, Session, Work
from prisma.drivers.pool import Pool
from prisma.drivers.postgres_errors import connect_error, postgres_error
from prisma.drivers.postgres_values import Coerce, coercions, from_raw
from prisma.errors import (
    ConnectionClosedError,
    DataError,
    PoolTimeoutError,
    TransactionError,
    TransactionNotStartedError,
)

if TYPE_CHECKING:  # the engine imports the drivers
    from prisma.engine.types import EngineOptions, IsolationLevel, Provider

T = TypeVar("T")
CACHED_STATEMENTS = 512  # prepared statements a connection
KNOWN_TYPES = 4096  # statements whose parameters' types are remembered
RECOVERY_TIMEOUT = 5.0  # seconds to roll back a connection before it is closed
GRACE = 5.0  # seconds that the client waits longer than the server's own statement timeout
LEVELS: dict[IsolationLevel | None, str] = {
    None: "BEGIN",
    "ReadUncommitted": "BEGIN ISOLATION LEVEL READ UNCOMMITTED",
    "ReadCommitted": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "RepeatableRead": "BEGIN ISOLATION LEVEL REPEATABLE READ",
    "Serializable": "BEGIN ISOLATION LEVEL SERIALIZABLE",
}
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


class Connection:
    """One connection of the pool."""

    __slots__ = ("raw", "used")

    def __init__(self, raw: asyncpg.Connection[asyncpg.Record]) -> None:
        self.raw = raw
        self.used = False  # whether work has been done on it: a fresh one cannot have gone stale


class PostgresStatements:
    """Statements on one connection."""

    __slots__ = ("_columns", "_depth", "_known", "_raw", "last_insert_id", "log", "wrote")

    def __init__(self, connection: Connection, *, depth: int, known: dict[str, list[Coerce | None]], log: bool) -> None:
        self._raw = connection.raw
        self._depth = depth
        self._known = known
        self._columns: Sequence[str] = ()
        self.last_insert_id: int | None = None
        self.log: list[tuple[str, int, float]] | None = [] if log else None
        self.wrote = False  # whether anything but BEGIN was sent

    async def query(self, sql: str, parameters: Sequence[Any]) -> Rows:
        self.wrote = True
        start = time.perf_counter()
        try:
            arguments = await self._coerced(sql, parameters) if parameters else ()
            rows = await self._raw.fetch(sql, *arguments)
        except FAILURES as error:
            raise self._failed(sql, error) from error
        finally:
            self._report(sql, parameters, start)
        if rows:
            self._columns = list(rows[0].keys())
        return rows

    def columns(self) -> Sequence[str]:
        return self._columns

    async def query_raw(self, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        self.wrote = True
        start = time.perf_counter()
        try:
            statement = await self._raw.prepare(sql)
            arguments = _coerce(coercions(statement.get_parameters()), parameters)
            rows = await statement.fetch(*arguments)
        except FAILURES as error:
            raise _mapped(self._raw, error) from error
        finally:
            self._report(sql, parameters, start)
        columns = [(attribute.name, attribute.type.name) for attribute in statement.get_attributes() or ()]
        return [
            {name: from_raw(value, kind) for (name, kind), value in zip(columns, row.values(), strict=True)}
            for row in rows
        ]

    async def execute(self, sql: str, parameters: Sequence[Any]) -> int:
        self.wrote = True
        status = await self._send(sql, parameters)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_raw(self, sql: str, parameters: Sequence[Any]) -> int:
        return await self.execute(sql, parameters)

    async def begin(self) -> None:
        await self._send(f"SAVEPOINT s{self._depth}" if self._depth else "BEGIN", ())
        self._depth += 1

    async def commit(self) -> None:
        await self._send(f"RELEASE s{self._depth - 1}" if self._depth > 1 else "COMMIT", ())
        self._depth -= 1

    async def rollback(self) -> None:
        self._depth -= 1
        if self._depth:
            await self._send(f"ROLLBACK TO s{self._depth}; RELEASE s{self._depth}", ())
        else:
            await self._send("ROLLBACK", ())

    async def _send(self, sql: str, parameters: Sequence[Any]) -> str:
        start = time.perf_counter()
        try:
            arguments = await self._coerced(sql, parameters) if parameters else ()
            return await self._raw.execute(sql, *arguments)
        except FAILURES as error:
            raise self._failed(sql, error) from error
        finally:
            self._report(sql, parameters, start)

    def _failed(self, sql: str, error: Exception) -> DataError:
        self._known.pop(sql, None)  # a column may have changed its type
        return _mapped(self._raw, error)

    async def _coerced(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        known = self._known.get(sql)
        if known is None:
            statement = await self._raw.prepare(sql)
            known = coercions(statement.get_parameters())
            if len(self._known) >= KNOWN_TYPES:
                self._known.clear()
            self._known[sql] = known
        return _coerce(known, parameters)

    def _report(self, sql: str, parameters: Sequence[Any], start: float) -> None:
        if self.log is not None:
            self.log.append((sql, len(parameters), time.perf_counter() - start))


class PostgresDriver:
    """A database on a server."""

    provider: Provider = "postgresql"
    max_parameters = 32766

    def __init__(self, url: str, options: EngineOptions) -> None:
        self._url, settings = split_url(url)
        self.schema_name: str | None = settings.get("schema")
        self._cached_statements = 0 if settings.get("pgbouncer") == "true" else CACHED_STATEMENTS
        self._options = options
        size = int(settings.get("connection_limit", options.pool_size))
        self.pool = Pool(self._connect, size=size)
        self._known: dict[str, list[Coerce | None]] = {}
        self._recovering: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self.pool.release(await self._acquire(self._options.pool_timeout))

    async def close(self) -> None:
        for connection in await self.pool.close():
            self._in_background(_close(connection))
        if self._recovering:
            await asyncio.wait(self._recovering)

    @staticmethod
    def bind(kind: dict[str, Any]) -> Callable[[Any], Any] | None:
        del kind  # the server is asked instead
        return None

    async def run(self, work: Work[T], *, writes: bool, report: Report | None) -> T:
        while True:
            connection = await self._acquire(self._options.pool_timeout)
            statements = self.statements(connection, depth=0, report=report)
            stale = connection.used
            try:
                value = await work(statements)
            except ConnectionClosedError:
                connection.raw.terminate()
                self.pool.discard(connection)
                # The server went away while the connection lay idle: nothing has happened yet, so try another one.
                if stale and (not writes or not statements.wrote):
                    continue
                raise
            except BaseException as error:
                self.give_back(connection, clean=isinstance(error, Exception))
                raise
            finally:
                if report is not None:
                    for entry in statements.log or ():
                        report(*entry)
            self.pool.release(connection)
            return value

    async def begin(self, isolation: IsolationLevel | None, *, max_wait: float) -> Session:
        while True:
            try:
                connection = await self._acquire(max_wait)
            except PoolTimeoutError as error:
                raise TransactionNotStartedError(f"Unable to start a transaction in {max_wait:g} s: {error}") from error
            stale = connection.used
            try:
                await connection.raw.execute(LEVELS[isolation])
            except FAILURES as error:
                mapped = _mapped(connection.raw, error)
                self.give_back(connection)
                if stale and isinstance(mapped, ConnectionClosedError):
                    continue
                raise mapped from error
            except BaseException:
                self.give_back(connection, clean=False)
                raise
            return PostgresSession(self, connection)

    def statements(self, connection: Connection, *, depth: int, report: Report | None) -> PostgresStatements:
        connection.used = True
        return PostgresStatements(connection, depth=depth, known=self._known, log=report is not None)

    def give_back(self, connection: Connection, *, clean: bool = True) -> None:
        """Return a connection whose work failed; one that may still be busy or in a transaction is mended first."""
        if connection.raw.is_closed():
            self.pool.discard(connection)
        elif clean and not connection.raw.is_in_transaction():
            self.pool.release(connection)
        else:
            self._in_background(self._recover(connection))

    def stop(self, connection: Connection) -> None:
        """Break a connection that is busy, and end its work on the server too."""
        pid = connection.raw.get_server_pid()
        connection.raw.terminate()
        self.pool.discard(connection)
        self._in_background(self._end_backend(pid))

    async def _acquire(self, timeout: float) -> Connection:  # noqa: ASYNC109 - passed on to the pool
        while True:
            connection = await self.pool.acquire(timeout=timeout)
            if not connection.raw.is_closed():
                return connection
            self.pool.discard(connection)

    async def _connect(self) -> Connection:
        options = self._options
        settings = {
            "jit": "off",
            "statement_timeout": str(int(options.statement_timeout * 1000)),
            "idle_in_transaction_session_timeout": str(int(options.idle_timeout * 1000)),
        }
        if self.schema_name:
            settings["search_path"] = self.schema_name
        try:
            raw = await asyncpg.connect(
                self._url,
                timeout=options.connect_timeout,
                command_timeout=options.statement_timeout + GRACE,
                statement_cache_size=self._cached_statements,
                max_cached_statement_lifetime=0,
                server_settings=settings,
            )
        except (*FAILURES, ValueError) as error:
            raise connect_error(error) from error
        return Connection(raw)

    async def _recover(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(RECOVERY_TIMEOUT):
                await connection.raw.execute("ROLLBACK")
        except (*FAILURES, asyncio.CancelledError):
            connection.raw.terminate()
            self.pool.discard(connection)
        else:
            self.pool.release(connection)

    async def _end_backend(self, pid: int) -> None:
        try:
            async with asyncio.timeout(RECOVERY_TIMEOUT):
                connection = await self._connect()
                await connection.raw.execute("SELECT pg_terminate_backend($1)", pid)
                await connection.raw.close()
        except (*FAILURES, DataError):
            return  # the server is gone, and the work with it

    def _in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._recovering.add(task)
        task.add_done_callback(self._recovering.discard)


async def _close(connection: Connection) -> None:
    try:
        await connection.raw.close(timeout=RECOVERY_TIMEOUT)
    except FAILURES:
        connection.raw.terminate()


class PostgresSession:
    """An interactive transaction. Work that is asked for at the same time runs one after the other."""

    def __init__(self, driver: PostgresDriver, connection: Connection) -> None:
        self._driver = driver
        self._connection = connection
        self._turn = asyncio.Lock()
        self._over = False

    async def run(self, work: Work[T], report: Report | None) -> T:
        async with self._turn:
            if self._over:  # it ended while this waited for its turn
                raise TransactionError(TRANSACTION_GONE)
            statements = self._driver.statements(self._connection, depth=1, report=report)
            try:
                return await work(statements)
            finally:
                if report is not None:
                    for entry in statements.log or ():
                        report(*entry)

    async def commit(self) -> None:
        await self._end("COMMIT")

    async def rollback(self) -> None:
        await self._end("ROLLBACK")

    def abort(self) -> None:
        if self._over:
            return
        self._over = True
        if self._turn.locked():
            self._driver.stop(self._connection)
        else:
            self._driver.give_back(self._connection, clean=False)

    async def _end(self, sql: str) -> None:
        try:
            async with self._turn:
                ended = await self._connection.raw.execute(sql)
        except FAILURES as error:
            mapped = _mapped(self._connection.raw, error)
            self._finish(clean=True)
            raise mapped from error
        except BaseException:
            self._finish(clean=False)
            raise
        self._finish(clean=True)
        if ended != sql:  # PostgreSQL answers COMMIT with ROLLBACK after a failed statement, and calls it a success
            raise TransactionError("The transaction was rolled back, not committed: a statement in it had failed.")

    def _finish(self, *, clean: bool) -> None:
        if not self._over:
            self._over = True
            self._driver.give_back(self._connection, clean=clean)


def _mapped(raw: asyncpg.Connection[Any], error: Exception) -> DataError:
    """The error of this client. A connection that the server has closed is closed here too: asyncpg hears of its end a
    moment later, and until then it would be given to somebody else, in the middle of an operation."""
    mapped = postgres_error(error)
    if isinstance(mapped, ConnectionClosedError):
        raw.terminate()
    return mapped


def split_url(url: str) -> tuple[str, dict[str, str]]:
    """The URL as asyncpg takes it, and the parameters that are Prisma's own."""
    parts = urlsplit(url)
    ours = {"schema", "connection_limit", "pgbouncer", "pool_timeout", "connect_timeout", "socket_timeout", "sslaccept"}
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in query if name not in ours])
    return urlunsplit(parts._replace(query=kept)), {name: value for name, value in query if name in ours}


def _coerce(known: list[Coerce | None], parameters: Sequence[Any]) -> Sequence[Any]:
    try:
        return [value if convert is None else convert(value) for convert, value in zip(known, parameters, strict=True)]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise asyncpg.exceptions.DataError(f"A parameter does not fit its type: {error}") from error
