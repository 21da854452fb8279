"""SQLite by aiosqlite: one connection writes, some read beside it (WAL).

A piece of work runs to its end inside the connection's own thread: one hop there and back, whatever it consists of. A
nested write, its BEGIN and its COMMIT are therefore one unit that a cancelled task cannot leave half done. The unit's
end, not the task, gives the connection back.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import aiosqlite

from prisma.drivers.base import TRANSACTION_GONE, Report, Rows, Session, Statements, Work
from prisma.drivers.pool import Pool
from prisma.drivers.sqlite_errors import sqlite_error
from prisma.drivers.sqlite_values import BIND, bind_any
from prisma.errors import (
    DataError,
    EngineError,
    InputError,
    PoolTimeoutError,
    TransactionError,
    TransactionNotStartedError,
)

if TYPE_CHECKING:  # the engine imports the drivers
    from prisma.engine.types import EngineOptions, IsolationLevel, Provider

T = TypeVar("T")
MAX_READERS = 4  # Python runs one of them at a time; more only wait for each other
CACHED_STATEMENTS = 512


class Connection(aiosqlite.Connection):
    """aiosqlite's connection, with pieces of work in its thread."""

    writer = True
    stopped: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread. A connection that could not be opened does so by itself, and waits for nothing."""
        self.stopped = super().stop()  # pyright: ignore[reportUnknownMemberType] - typed without its type
        return self.stopped

    def submit(self, function: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Run a function in the connection's thread, after what was submitted before; `done` runs on the event loop."""
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                value = function()
            except BaseException as error:  # noqa: BLE001 - handed to `done`, whatever it is
                loop.call_soon_threadsafe(done, None, error)
            else:
                loop.call_soon_threadsafe(done, value, None)

        self._tx.put_nowait((None, run))  # pyright: ignore[reportUnknownMemberType] - typed without its type

    def stop_statement(self) -> None:
        """Make the running statement fail; does nothing when none runs."""
        if self._connection is not None:
            self._connection.interrupt()

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn


class SqliteStatements:
    """Statements in the connection's thread: its coroutines never wait."""

    __slots__ = ("_cursor", "_depth", "_raw", "_writer", "last_insert_id", "log")

    def __init__(self, connection: Connection, *, depth: int, log: bool) -> None:
        self._raw = connection.raw
        self._writer = connection.writer
        self._depth = depth
        self._cursor: sqlite3.Cursor | None = None
        self.last_insert_id: int | None = None
        self.log: list[tuple[str, int, float]] | None = [] if log else None

    async def query(self, sql: str, parameters: Sequence[Any]) -> Rows:
        self._cursor, rows = self._execute(sql, parameters)
        return rows

    def columns(self) -> Sequence[str]:
        cursor = self._cursor
        return [column[0] for column in cursor.description or ()] if cursor is not None else ()

    async def query_raw(self, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        rows = await self.query(sql, [bind_any(value) for value in parameters])
        columns = self.columns()
        return [dict(zip(columns, row, strict=True)) for row in rows]

    async def execute(self, sql: str, parameters: Sequence[Any]) -> int:
        cursor, _ = self._execute(sql, parameters)
        return max(cursor.rowcount, 0)

    async def execute_raw(self, sql: str, parameters: Sequence[Any]) -> int:
        return await self.execute(sql, [bind_any(value) for value in parameters])

    async def begin(self) -> None:
        if self._depth:
            self._execute(f"SAVEPOINT s{self._depth}", ())
        else:
            self._execute("BEGIN IMMEDIATE" if self._writer else "BEGIN", ())
        self._depth += 1

    async def commit(self) -> None:
        self._execute(f"RELEASE s{self._depth - 1}" if self._depth > 1 else "COMMIT", ())
        self._depth -= 1

    async def rollback(self) -> None:
        self._depth -= 1
        if self._depth:
            self._execute(f"ROLLBACK TO s{self._depth}", ())
            self._execute(f"RELEASE s{self._depth}", ())
        elif self._raw.in_transaction:
            self._execute("ROLLBACK", ())

    def _execute(self, sql: str, parameters: Sequence[Any]) -> tuple[sqlite3.Cursor, list[Any]]:
        start = time.perf_counter() if self.log is not None else 0.0
        try:
            cursor = self._raw.execute(sql, parameters)
            rows = cursor.fetchall()
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise sqlite_error(error) from error
        finally:
            if self.log is not None:
                self.log.append((sql, len(parameters), time.perf_counter() - start))
        self.last_insert_id = cursor.lastrowid
        return cursor, rows


class SqliteDriver:
    """A database file."""

    provider: Provider = "sqlite"
    schema_name: str | None = None
    max_parameters = 999  # as Prisma cuts statements, though SQLite takes more today

    def __init__(self, path: str, options: EngineOptions) -> None:
        self._path = path
        self._options = options
        memory = path == ":memory:" or not path
        self.writers = Pool(lambda: self._open(writer=True), size=1)
        readers = max(1, min(MAX_READERS, options.pool_size - 1))
        self.readers = self.writers if memory else Pool(lambda: self._open(writer=False), size=readers)
        self._closing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self.writers.release(await self.writers.acquire(timeout=self._options.pool_timeout))

    async def close(self) -> None:
        for pool in {self.writers, self.readers}:
            for connection in await pool.close():
                self._in_background(connection.close())
        if self._closing:
            await asyncio.wait(self._closing)

    @staticmethod
    def bind(kind: dict[str, Any]) -> Callable[[Any], Any] | None:
        if kind["arity"] == "list":
            return None
        return BIND.get(kind["scalarType"])

    async def run(self, work: Work[T], *, writes: bool, report: Report | None) -> T:
        pool = self.writers if writes else self.readers
        connection = await pool.acquire(timeout=self._options.pool_timeout)
        return await self.submit(connection, work, depth=0, report=report, release=pool)

    async def begin(self, isolation: IsolationLevel | None, *, max_wait: float) -> Session:
        if isolation not in {None, "Serializable"}:
            raise InputError(f"SQLite has one isolation level, Serializable, not {isolation!r}.", code="P2023")
        try:
            connection = await self.writers.acquire(timeout=max_wait)
        except PoolTimeoutError:
            raise TransactionNotStartedError(
                f"Unable to start a transaction in {max_wait:g} s: another one is writing."
            ) from None
        return SqliteSession(self, connection)

    async def submit(
        self,
        connection: Connection,
        work: Work[T],
        *,
        depth: int,
        report: Report | None,
        release: Pool[Connection] | None = None,
    ) -> T:
        """Run work in the connection's thread; the connection is released when the work has ended, not before."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        statements = SqliteStatements(connection, depth=depth, log=report is not None)
        timer = loop.call_later(self._options.statement_timeout, connection.stop_statement)
        ended = False

        def done(value: T | None, error: BaseException | None) -> None:
            nonlocal ended
            ended = True
            timer.cancel()
            if release is not None:
                release.release(connection)
            if report is not None:
                for entry in statements.log or ():
                    report(*entry)
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)  # pyright: ignore[reportArgumentType]

        connection.submit(lambda: _to_the_end(work, statements, connection.raw, clean=depth == 0), done)
        try:
            return await future
        except asyncio.CancelledError:
            if not ended:
                connection.stop_statement()
            raise

    async def _open(self, *, writer: bool) -> Connection:
        path, options = self._path, self._options

        def connect() -> sqlite3.Connection:
            raw = sqlite3.connect(
                path or ":memory:",
                timeout=options.busy_timeout,
                isolation_level=None,
                cached_statements=CACHED_STATEMENTS,
                check_same_thread=False,
            )
            try:
                raw.execute("PRAGMA foreign_keys = ON")
                raw.execute("PRAGMA journal_mode = WAL" if writer else "PRAGMA query_only = ON").fetchall()
            except BaseException:
                raw.close()
                raise
            return raw

        connection = Connection(connect, 64)
        connection._thread.daemon = True  # a process ends though nobody disconnected  # pyright: ignore[reportPrivateUsage]
        connection.writer = writer
        opening = asyncio.get_running_loop().create_task(_opened(connection))
        try:
            return await asyncio.shield(opening)
        except sqlite3.Error as error:
            if connection.stopped is not None:
                await connection.stopped  # else the thread may find the loop closed
            raise sqlite_error(error) from error
        except asyncio.CancelledError:
            # The thread opens it all the same: it is closed when that is done.
            self._in_background(_close_when_open(opening))
            raise

    def _in_background(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class SqliteSession:
    """An interactive transaction: the thread's queue keeps its statements in order.

    It holds the connection from the beginning; BEGIN goes to the thread together with the first statement.
    """

    def __init__(self, driver: SqliteDriver, connection: Connection) -> None:
        self._driver = driver
        self._connection = connection
        self._begun = False
        self._over = False

    async def run(self, work: Work[T], report: Report | None) -> T:
        return await self._driver.submit(self._connection, self._inside(work), depth=1, report=report)

    async def commit(self) -> None:
        await self._end("COMMIT")

    async def rollback(self) -> None:
        await self._end("ROLLBACK")

    def abort(self) -> None:
        if not self._over:
            self._over = True
            self._connection.stop_statement()
            self._connection.submit(self._roll_back, lambda _value, _error: self._release())

    async def _end(self, sql: str) -> None:
        self._over = True

        async def work(statements: Statements) -> None:
            if not self._begun:
                return
            self._check()
            try:
                await statements.execute(sql, ())
            except DataError:
                self._roll_back()
                raise

        await self._driver.submit(self._connection, work, depth=1, report=None, release=self._driver.writers)

    def _inside(self, work: Work[T]) -> Work[T]:
        async def inside(statements: Statements) -> T:
            if self._begun:
                self._check()
            else:
                self._begin()
            return await work(statements)

        return inside

    def _begin(self) -> None:
        try:
            self._connection.raw.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise sqlite_error(error) from error
        self._begun = True

    def _check(self) -> None:
        """Raises `TransactionError` where SQLite has ended the transaction: it does when a write in it is interrupted
        or the disk is full, and what came after would be committed on its own."""
        if not self._connection.raw.in_transaction:
            raise TransactionError(TRANSACTION_GONE)

    def _roll_back(self) -> None:
        if self._connection.raw.in_transaction:
            self._connection.raw.execute("ROLLBACK")

    def _release(self) -> None:
        self._driver.writers.release(self._connection)


async def _close_when_open(opening: asyncio.Task[Connection]) -> None:
    with suppress(sqlite3.Error):
        await (await opening).close()


async def _opened(connection: Connection) -> Connection:
    await connection
    return connection


def _to_the_end(work: Work[T], statements: SqliteStatements, raw: sqlite3.Connection, *, clean: bool) -> T:
    """Run the work's coroutine without an event loop: its statements never wait."""
    coroutine: Awaitable[T] = work(statements)
    try:
        coroutine.__await__().send(None)
    except StopIteration as stop:
        return stop.value
    except BaseException:
        if clean and raw.in_transaction:
            raw.execute("ROLLBACK")
        raise
    raise EngineError("A piece of work on SQLite waited for something that is not the database.")


def path_of(url: str) -> str:
    """The path in a `file:` URL, without its query; `:memory:` and `file::memory:` name a database in memory."""
    path = url.removeprefix("file:").removeprefix("sqlite:").partition("?")[0]
    if path.startswith("//"):
        path = path[2:]
    return path if path == ":memory:" else str(Path(path))
