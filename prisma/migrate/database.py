"""What a database must offer to be migrated."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from prisma.migrate.history import Migration, RecordedMigration
from prisma.migrate.urls import Provider


class MigrationDatabase(Protocol):
    """One connection to one database, for the time of a migration."""

    @property
    def provider(self) -> Provider: ...

    def lock(self, timeout_seconds: float) -> AbstractAsyncContextManager[None]:
        """Keep every other migrating process out. Raises MigrationsLocked after `timeout_seconds`."""
        ...

    async def recorded(self) -> list[RecordedMigration]:
        """The rows of `_prisma_migrations`, oldest first; none when there is no such table."""
        ...

    async def apply(self, migration: Migration) -> None:
        """Run a migration and record it. Called under the lock. Raises MigrationFailed."""
        ...

    async def record_applied(self, name: str, checksum: str) -> None:
        """Record a migration that was completed by hand. Called under the lock."""
        ...

    async def mark_rolled_back(self, row_id: str) -> None:
        """Let a failed migration run again. Called under the lock."""
        ...
