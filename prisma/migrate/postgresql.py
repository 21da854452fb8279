"""Migrating a PostgreSQL schema: one transaction per migration, under Prisma's own advisory lock."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from prisma.migrate.errors import DatabaseUnreachable, MigrationFailed, MigrationsLocked
from prisma.migrate.history import NO_TRANSACTION, Migration, RecordedMigration
from prisma.migrate.statements import postgres_statements
from prisma.migrate.urls import PostgresTarget, Provider

POLL_INTERVAL = 0.1  # seconds
CONNECT_TIMEOUT = 15.0  # seconds

# The number that Prisma's CLI locks, so that the two exclude each other.
# https://www.prisma.io/docs/orm/prisma-migrate/workflows/development-and-production#advisory-locking
_ADVISORY_LOCK = 72707369

# As Prisma's schema engine writes it: flavour/postgres/connector.rs in prisma-engines.
_HISTORY_TABLE = """
CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)"""

_HINTS = {
    "25001": f"Put it into a migration of its own whose first line is {NO_TRANSACTION!r}.",
    "55P04": "A new enum value can be used only after a commit: use it in the next migration.",
}


@asynccontextmanager
async def open_postgres(target: PostgresTarget) -> AsyncGenerator[PostgresMigrations]:
    """Connect. Raises DatabaseUnreachable."""
    try:
        connection = await asyncpg.connect(target.dsn, timeout=CONNECT_TIMEOUT, statement_cache_size=0)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise DatabaseUnreachable(str(target), str(error) or type(error).__name__) from error
    try:
        await connection.execute(f"SET search_path TO {_quoted(target.schema)}")
        yield PostgresMigrations(connection, target)
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT)


class PostgresMigrations:
    provider: Provider = "postgresql"

    def __init__(self, connection: asyncpg.Connection, target: PostgresTarget) -> None:
        self._connection = connection
        self._target = target

    @asynccontextmanager
    async def lock(self, timeout_seconds: float) -> AsyncGenerator[None]:
        deadline = time.monotonic() + timeout_seconds
        while not await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):
            if time.monotonic() > deadline:
                raise MigrationsLocked(timeout_seconds)
            await asyncio.sleep(POLL_INTERVAL)
        yield
        # After an error the connection is closed, and the lock goes with it.
        await self._connection.fetchval("SELECT pg_advisory_unlock($1)", _ADVISORY_LOCK)

    async def recorded(self) -> list[RecordedMigration]:
        if await self._connection.fetchval("SELECT to_regclass('_prisma_migrations')") is None:
            return []
        rows = await self._connection.fetch(
            "SELECT id, migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, logs "
            "FROM _prisma_migrations ORDER BY started_at"
        )
        return [RecordedMigration(*row) for row in rows]

    async def apply(self, migration: Migration) -> None:
        await self._create_history_table()
        if migration.in_transaction:
            async with self._connection.transaction():
                await self._run(migration)
                await self.record_applied(migration.name, migration.checksum)
            return
        # Recorded first and finished last: whatever ends the process in between leaves a row that says so.
        row_id = str(uuid.uuid4())
        await self._connection.execute(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)",
            row_id,
            migration.checksum,
            migration.name,
        )
        try:
            await self._run(migration)
        except MigrationFailed as error:
            await self._connection.execute("UPDATE _prisma_migrations SET logs = $2 WHERE id = $1", row_id, str(error))
            raise
        await self._connection.execute(
            "UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1",
            row_id,
        )

    async def _run(self, migration: Migration) -> None:
        step = 0
        try:
            for step, statement in enumerate(postgres_statements(migration.sql), start=1):  # noqa: B007 - told in the error
                await self._connection.execute(statement)
        except asyncpg.PostgresError as error:
            hint = _HINTS.get(error.sqlstate or "", "")
            undone = migration.in_transaction
            raise MigrationFailed(migration.name, step, str(error), undone=undone, hint=hint) from error

    async def record_applied(self, name: str, checksum: str) -> None:
        await self._create_history_table()
        await self._connection.execute(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) "
            "VALUES ($1, $2, $3, clock_timestamp(), 1)",
            str(uuid.uuid4()),
            checksum,
            name,
        )

    async def mark_rolled_back(self, row_id: str) -> None:
        await self._connection.execute(
            "UPDATE _prisma_migrations SET rolled_back_at = clock_timestamp() WHERE id = $1", row_id
        )

    async def _create_history_table(self) -> None:
        # Asked first: CREATE ... IF NOT EXISTS needs the right to create even when there is nothing to do.
        if await self._connection.fetchval("SELECT to_regclass('_prisma_migrations')") is None:
            await self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(self._target.schema)}")
            await self._connection.execute(_HISTORY_TABLE)


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
