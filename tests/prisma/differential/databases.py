"""A test database looked at from outside both clients: dumped, and set back to its seed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from prisma.migrate.urls import Provider
from tests.prisma.differential.protocol import normal

Rows = list[tuple[Any, ...]]
TABLES = ("_PostToTag", "Ticket", "Seat", "Profile", "posts", "Tag", "users", "scalars")  # children first


class Database(Protocol):
    @property
    def provider(self) -> Provider: ...

    @property
    def url(self) -> str: ...

    async def keep_as_seed(self) -> None:
        """Remember what is in the tables now."""
        ...

    async def reset(self) -> None:
        """Put the tables and the counters of ids back to the seed."""
        ...

    async def dump(self) -> dict[str, Rows]:
        """Every row of every table, in one form."""
        ...

    async def close(self) -> None: ...


class SqliteDatabase:
    provider: Provider = "sqlite"

    def __init__(self, path: Path) -> None:
        self.url = f"file:{path}"
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=20)

    async def keep_as_seed(self) -> None:
        for table in TABLES:
            self._connection.execute(f'CREATE TABLE "seed_{table}" AS SELECT * FROM "{table}"')
        self._connection.execute("CREATE TABLE seed_sequences AS SELECT * FROM sqlite_sequence")

    async def reset(self) -> None:
        fill = [f'DELETE FROM "{table}"; INSERT INTO "{table}" SELECT * FROM "seed_{table}";' for table in TABLES]
        counters = "DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence SELECT * FROM seed_sequences;"
        self._connection.executescript(f"PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE; {''.join(fill)} {counters} COMMIT;")

    async def dump(self) -> dict[str, Rows]:
        return {table: _sorted(self._connection.execute(f'SELECT * FROM "{table}"').fetchall()) for table in TABLES}

    async def close(self) -> None:
        self._connection.close()


class PostgresDatabase:
    provider: Provider = "postgresql"

    def __init__(self, url: str, connection: asyncpg.Connection) -> None:
        self.url = url
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> PostgresDatabase:
        connection = await asyncpg.connect(url)
        await connection.execute("SET TIME ZONE 'UTC'")
        return cls(url, connection)

    async def keep_as_seed(self) -> None:
        await self._connection.execute("CREATE SCHEMA seed")
        for table in TABLES:
            await self._connection.execute(f'CREATE TABLE seed."{table}" AS SELECT * FROM public."{table}"')

    async def reset(self) -> None:
        # DELETE, because TRUNCATE makes new files; as a replica, because no order of deletion suits a self-relation.
        copies = [
            f'DELETE FROM public."{one}"; INSERT INTO public."{one}" SELECT * FROM seed."{one}";' for one in TABLES
        ]
        counters = [
            f"SELECT setval(pg_get_serial_sequence('public.\"{table}\"', 'id'), 100);"
            for table in ("Profile", "posts", "Tag", "users", "scalars")
        ]
        unchecked = "SET LOCAL session_replication_role = replica;"
        await self._connection.execute(f"BEGIN; {unchecked} {''.join(copies)} {''.join(counters)} COMMIT;")

    async def dump(self) -> dict[str, Rows]:
        return {table: _sorted(await self._connection.fetch(f'SELECT * FROM public."{table}"')) for table in TABLES}

    async def close(self) -> None:
        await self._connection.close()


def _sorted(rows: list[Any]) -> Rows:
    return sorted((tuple(_cell(cell) for cell in row) for row in rows), key=repr)


def _cell(cell: Any) -> Any:
    # SQLite has no dates: text that the clock wrote is recognised by its year.
    if isinstance(cell, str) and cell[:4].isdigit() and cell[:4] >= "2026" and cell[10:11] == "T":
        return "<now>"
    return normal(cell)
