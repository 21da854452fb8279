"""Migrating a SQLite file: one transaction per migration, which is also the lock."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiosqlite

from prisma.migrate.errors import DatabaseUnreachable, MigrationFailed, MigrationsLocked
from prisma.migrate.history import Migration, RecordedMigration
from prisma.migrate.statements import sqlite_statements
from prisma.migrate.urls import Provider, SqliteTarget

POLL_INTERVAL = 0.05  # seconds
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

# As Prisma's schema engine writes it: flavour/sqlite/connector.rs in prisma-engines.
_HISTORY_TABLE = """
CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)"""


@asynccontextmanager
async def open_sqlite(target: SqliteTarget, *, create: bool) -> AsyncGenerator[SqliteMigrations]:
    """Open the file, with its folder when `create`. Raises DatabaseUnreachable."""
    try:
        if create:
            target.path.parent.mkdir(parents=True, exist_ok=True)
        uri = f"{target.path.as_uri()}?mode={'rwc' if create else 'rw'}"
        connection = await aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=0)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseUnreachable(str(target), str(error)) from error
    try:
        yield SqliteMigrations(connection, target)
    finally:
        await connection.close()


class SqliteMigrations:
    provider: Provider = "sqlite"

    def __init__(self, connection: aiosqlite.Connection, target: SqliteTarget) -> None:
        self._connection = connection
        self._target = target

    @asynccontextmanager
    async def lock(self, timeout_seconds: float) -> AsyncGenerator[None]:
        """An exclusive transaction: committed when the block ends well, otherwise undone."""
        # Off outside the transaction, because inside it the setting does nothing, and dropping a table that is being
        # redefined would delete what refers to it. Checked by hand in `apply`. https://sqlite.org/lang_altertable.html
        await self._connection.execute("PRAGMA foreign_keys = OFF")
        await self._begin(timeout_seconds)
        try:
            yield
            await self._connection.execute("COMMIT")
        except BaseException:
            await self._connection.interrupt()  # a cancelled statement goes on in its thread until told
            await self._connection.rollback()  # nothing to do where SQLite has ended the transaction by itself
            raise

    async def _begin(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                await self._connection.execute("BEGIN EXCLUSIVE")
                return
            except sqlite3.Error as error:
                if error.sqlite_errorcode not in _BUSY:
                    raise DatabaseUnreachable(str(self._target), str(error)) from error
                if time.monotonic() > deadline:
                    raise MigrationsLocked(timeout_seconds) from error
            await asyncio.sleep(POLL_INTERVAL)

    async def recorded(self) -> list[RecordedMigration]:
        try:
            if not await self._rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_prisma_migrations'"):
                return []
            rows = await self._rows(
                "SELECT id, migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, logs "
                'FROM "_prisma_migrations" ORDER BY started_at'
            )
        except sqlite3.Error as error:
            raise DatabaseUnreachable(str(self._target), str(error)) from error
        return [RecordedMigration(row[0], row[1], row[2], bool(row[3]), bool(row[4]), row[5]) for row in rows]

    async def apply(self, migration: Migration) -> None:
        if not migration.in_transaction:
            raise MigrationFailed(
                migration.name, 0, "a SQLite migration always runs in a transaction; remove its first line", undone=True
            )
        broken_before = set(await self._rows("PRAGMA foreign_key_check"))
        step = 0
        try:
            for step, statement in enumerate(sqlite_statements(migration.sql), start=1):  # noqa: B007 - told in the error
                await self._connection.execute(statement)
        except sqlite3.Error as error:
            raise MigrationFailed(migration.name, step, str(error), undone=True) from error
        if broken := set(await self._rows("PRAGMA foreign_key_check")) - broken_before:
            table, row_id, parent, _ = min(broken, key=str)
            reason = f"{len(broken)} row(s) would refer to nothing, such as row {row_id} of {table} to {parent}"
            raise MigrationFailed(migration.name, step, reason, undone=True)
        await self.record_applied(migration.name, migration.checksum)

    async def record_applied(self, name: str, checksum: str) -> None:
        await self._connection.execute(_HISTORY_TABLE)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        await self._connection.execute(
            'INSERT INTO "_prisma_migrations" '
            "(id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES (?, ?, ?, ?, ?, 1)",
            (str(uuid.uuid4()), checksum, name, now, now),
        )

    async def mark_rolled_back(self, row_id: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        await self._connection.execute('UPDATE "_prisma_migrations" SET rolled_back_at = ? WHERE id = ?', (now, row_id))

    async def _rows(self, sql: str) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(sql))
