"""Which migrations there are, which the database has, and what follows from the two."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prisma.migrate.errors import ChangedMigration, DatabaseNewer, FailedMigration
from prisma.migrate.urls import Provider

MIGRATIONS = Path(__file__).parent.parent / "migrations"

# First line of a PostgreSQL migration with a statement such as CREATE INDEX CONCURRENTLY.
NO_TRANSACTION = "-- deskclerk: no transaction"


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str
    checksum: str
    """sha256 of migration.sql in hex, as Prisma records it."""

    @property
    def in_transaction(self) -> bool:
        return not self.sql.startswith(NO_TRANSACTION)


@dataclass(frozen=True, slots=True)
class RecordedMigration:
    """A row of `_prisma_migrations`."""

    id: str
    name: str
    checksum: str
    finished: bool
    rolled_back: bool
    logs: str | None


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    name: str
    checksum: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """Where a database stands. Names in the order in which they are applied."""

    provider: Provider
    applied: tuple[str, ...]
    pending: tuple[str, ...]
    changed: tuple[str, ...]
    failed: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def up_to_date(self) -> bool:
        return not (self.pending or self.changed or self.failed or self.unknown)


def read_migrations(provider: Provider, folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of `<folder>/<provider>/`, oldest first. The name's timestamp orders them, as in Prisma."""
    files = sorted((folder / provider).glob("*/migration.sql"), key=lambda file: file.parent.name)
    return [_read(file) for file in files]


def _read(file: Path) -> Migration:
    content = file.read_bytes()
    return Migration(file.parent.name, content.decode(), hashlib.sha256(content).hexdigest())


def compare(provider: Provider, migrations: Sequence[Migration], rows: Sequence[RecordedMigration]) -> MigrationStatus:
    known = {migration.name: migration for migration in migrations}
    standing = {row.name: row for row in rows if not row.rolled_back}
    applied = tuple(name for name, row in sorted(standing.items()) if row.finished)
    return MigrationStatus(
        provider=provider,
        applied=applied,
        pending=tuple(name for name in known if name not in standing),
        changed=tuple(name for name in applied if name in known and standing[name].checksum != known[name].checksum),
        failed=tuple(name for name, row in sorted(standing.items()) if not row.finished),
        unknown=tuple(name for name in sorted(standing) if name not in known),
    )


def refuse_what_is_wrong(
    status: MigrationStatus, migrations: Sequence[Migration], rows: Sequence[RecordedMigration]
) -> None:
    """Raise the one error that a person must deal with first.

    Raises:
        FailedMigration: A migration stopped half-way.
        DatabaseNewer: The database has migrations that are not in the folder.
        ChangedMigration: An applied migration's file is not what was applied.
    """
    standing = {row.name: row for row in rows if not row.rolled_back}
    if status.failed:
        raise FailedMigration(status.failed[0], standing[status.failed[0]].logs)
    if status.unknown:
        raise DatabaseNewer(status.unknown)
    if status.changed:
        name = status.changed[0]
        found = next(migration.checksum for migration in migrations if migration.name == name)
        raise ChangedMigration(name, standing[name].checksum, found)
