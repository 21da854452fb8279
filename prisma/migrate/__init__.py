"""Migrations: SQL written at development time by Prisma's schema engine, applied at run time by Python.

`migrate` and `status` need neither Node nor WASM. `prisma.migrate.author` (needs Node) writes the SQL.
"""

from prisma.migrate.apply import migrate, resolve, status
from prisma.migrate.errors import (
    ChangedMigration,
    DatabaseNewer,
    DatabaseUnreachable,
    FailedMigration,
    MigrateError,
    MigrationFailed,
    MigrationsLocked,
    UnsupportedUrl,
)
from prisma.migrate.history import AppliedMigration, MigrationStatus

__all__ = [
    "AppliedMigration",
    "ChangedMigration",
    "DatabaseNewer",
    "DatabaseUnreachable",
    "FailedMigration",
    "MigrateError",
    "MigrationFailed",
    "MigrationStatus",
    "MigrationsLocked",
    "UnsupportedUrl",
    "migrate",
    "resolve",
    "status",
]
