"""Bring a database to the newest migration, in Python alone."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from prisma.migrate.database import MigrationDatabase
from prisma.migrate.history import (
    MIGRATIONS,
    AppliedMigration,
    Migration,
    MigrationStatus,
    compare,
    read_migrations,
    refuse_what_is_wrong,
)
from prisma.migrate.sqlite import open_sqlite
from prisma.migrate.urls import PostgresTarget, SqliteTarget, parse_url

LOCK_TIMEOUT = 60.0  # seconds


async def migrate(
    url: str, *, migrations: Path = MIGRATIONS, lock_timeout_seconds: float = LOCK_TIMEOUT
) -> list[AppliedMigration]:
    """Apply what is pending, oldest first, and record it in Prisma's `_prisma_migrations`.

    Of several processes at once, one applies and the others wait and find nothing to do. A SQLite file and its folder
    are created when missing. A migration is applied whole or not at all, but for one whose first line is
    `-- deskclerk: no transaction` (PostgreSQL only).

    Args:
        url: `file:...` or `postgresql://...`.
        migrations: The folder with one folder per provider.
        lock_timeout_seconds: How long to wait for another process that migrates.

    Returns:
        What this call applied; empty when the database was up to date.

    Raises:
        MigrateError: See prisma/migrate/errors.py.
    """
    target = parse_url(url)
    known = read_migrations(target.provider, migrations)
    applied: list[AppliedMigration] = []
    async with _open(target, create=True) as database:
        while step := await _apply_next(database, known, lock_timeout_seconds):
            applied.append(step)
    return applied


async def status(url: str, *, migrations: Path = MIGRATIONS) -> MigrationStatus:
    """Where the database stands. Writes nothing, and creates no SQLite file.

    Raises:
        UnsupportedUrl: The address has an unknown form.
        DatabaseUnreachable: PostgreSQL does not answer, or the SQLite file is none.
    """
    target = parse_url(url)
    known = read_migrations(target.provider, migrations)
    if isinstance(target, SqliteTarget) and not target.path.exists():
        return compare(target.provider, known, [])
    async with _open(target, create=False) as database:
        return compare(target.provider, known, await database.recorded())


async def resolve(url: str, name: str, *, applied: bool, migrations: Path = MIGRATIONS) -> None:
    """Say what became of a migration that stopped half-way, as `prisma migrate resolve` does.

    Args:
        url: The database.
        name: The migration's folder name.
        applied: True when a person completed it by hand; False when its effects were undone and it shall run again.
        migrations: The folder with one folder per provider.

    Raises:
        ValueError: That migration is not in a failed state.
    """
    target = parse_url(url)
    checksums = {migration.name: migration.checksum for migration in read_migrations(target.provider, migrations)}
    async with _open(target, create=False) as database, database.lock(LOCK_TIMEOUT):
        failed = [
            row for row in await database.recorded() if row.name == name and not (row.finished or row.rolled_back)
        ]
        if not failed:
            raise ValueError(f"Migration {name!r} is not in a failed state.")
        for row in failed:
            await database.mark_rolled_back(row.id)
        if applied:
            await database.record_applied(name, checksums.get(name, failed[-1].checksum))


async def _apply_next(
    database: MigrationDatabase, known: list[Migration], lock_timeout_seconds: float
) -> AppliedMigration | None:
    """Apply the oldest pending migration under the lock. The history is read again each time: others may be at it."""
    async with database.lock(lock_timeout_seconds):
        rows = await database.recorded()
        standing = compare(database.provider, known, rows)
        refuse_what_is_wrong(standing, known, rows)
        if not standing.pending:
            return None
        migration = next(one for one in known if one.name == standing.pending[0])
        started = time.perf_counter()
        await database.apply(migration)
        return AppliedMigration(migration.name, migration.checksum, time.perf_counter() - started)


def _open(target: SqliteTarget | PostgresTarget, *, create: bool) -> AbstractAsyncContextManager[MigrationDatabase]:
    if isinstance(target, SqliteTarget):
        return open_sqlite(target, create=create)
    from prisma.migrate.postgresql import open_postgres  # with a driver that SQLite does without

    return open_postgres(target)
