"""Why a database could not be migrated, each with a stable `code` and a message that says what to do.

* MigrateError
  x UnsupportedUrl       database_url          the address names no SQLite file and no PostgreSQL server
  x DatabaseUnreachable  database_unreachable  nobody answers there, or the file cannot be opened
  x MigrationsLocked     migrations_locked     another process has been migrating for longer than we wait
  x ChangedMigration     migration_changed     a file was edited after it was applied
  x FailedMigration      migration_unresolved  an earlier migration stopped half-way; a person must look
  x DatabaseNewer        database_newer        the database knows migrations that this code does not
  x MigrationFailed      migration_failed      the SQL of this migration was refused just now
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class MigrateError(Exception):
    """The database was not migrated."""

    code: ClassVar[str] = "migrate_error"


class UnsupportedUrl(MigrateError):
    """The database address has a form we do not know."""

    code = "database_url"

    def __init__(self, url_without_password: str) -> None:
        super().__init__(
            f"DATABASE_URL {url_without_password!r} is neither SQLite nor PostgreSQL. "
            "Write file:./deskclerk.db, file:/absolute/path.db or postgresql://user:password@host:5432/name."
        )


class DatabaseUnreachable(MigrateError):
    """No connection to the database."""

    code = "database_unreachable"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"Cannot open the database at {where}: {reason}. Check DATABASE_URL and that it is running.")


class MigrationsLocked(MigrateError):
    """Another process holds the migration lock."""

    code = "migrations_locked"

    def __init__(self, waited_seconds: float) -> None:
        super().__init__(
            f"Another process has been migrating this database for more than {waited_seconds:g} s. "
            "Wait for it to end, or end it, and try again."
        )


class ChangedMigration(MigrateError):
    """A migration's SQL is not what was applied."""

    code = "migration_changed"

    def __init__(self, name: str, recorded: str, found: str) -> None:
        super().__init__(
            f"Migration {name!r} was changed after it was applied (sha256 {recorded[:12]}, now {found[:12]}). "
            "Restore its migration.sql from version control and put the change into a new migration."
        )
        self.name = name


class FailedMigration(MigrateError):
    """A migration began earlier and did not finish."""

    code = "migration_unresolved"

    def __init__(self, name: str, logs: str | None) -> None:
        reason = f" It said: {logs.strip()}" if logs else ""
        super().__init__(
            f"Migration {name!r} stopped half-way in an earlier run.{reason} "
            f"Look at the database, then say what holds: `python -m prisma.migrate resolve {name} --applied` "
            f"if you completed it by hand, `--rolled-back` if you undid it and it shall run again."
        )
        self.name = name
        self.logs = logs


class DatabaseNewer(MigrateError):
    """The database has migrations that this code does not."""

    code = "database_newer"

    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__(
            f"The database has {len(unknown)} migration(s) that this version does not know, "
            f"the last one {unknown[-1]!r}. It was migrated by a newer version: run that version, "
            "or restore the backup made before the upgrade."
        )
        self.unknown = tuple(unknown)


class MigrationFailed(MigrateError):
    """The database refused a statement of a migration."""

    code = "migration_failed"

    def __init__(self, name: str, step: int, reason: str, *, undone: bool, hint: str = "") -> None:
        after = (
            "The whole migration was undone; the database is as before."
            if undone
            else "It does not run in a transaction, so the statements before it stay applied."
        )
        super().__init__(f"Migration {name!r} failed at statement {step}: {reason}. {after}{hint and ' ' + hint}")
        self.name = name
        self.step = step
        self.undone = undone
