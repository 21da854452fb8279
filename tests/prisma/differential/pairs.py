"""Two databases from one schema and one seed, the official client on the first and another client on the second."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prisma.migrate import migrate
from prisma.migrate.schema_engine import difference
from prisma.migrate.urls import Provider
from tests.prisma.differential.comparison import Official, Pair
from tests.prisma.differential.databases import Database, PostgresDatabase, SqliteDatabase
from tests.prisma.differential.official import OfficialClient, schema_text
from tests.prisma.differential.ours import Ours
from tests.prisma.differential.seed import seed
from tests.support.postgres import PostgresServer


async def prepare(provider: Provider, url: str, folder: Path) -> None:
    """Make the tables of the test schema, and fill them through the official client."""
    schema = folder / "schema.prisma"
    schema.write_text(schema_text(provider))
    await migrate(url, migrations=folder / "none")
    sql = folder / "migrations" / provider / "1_test" / "migration.sql"
    sql.parent.mkdir(parents=True)
    sql.write_text(difference(provider, url, schema))
    await migrate(url, migrations=folder / "migrations")
    official = await OfficialClient.start(provider, url)
    try:
        for operation in seed(provider):
            await official.execute(operation)
    finally:
        await official.close()


@asynccontextmanager
async def two_databases(
    provider: Provider, folder: Path, server: PostgresServer
) -> AsyncGenerator[tuple[Database, Database]]:
    """Two equal databases with the seed in them."""
    if provider == "sqlite":
        first: Database = SqliteDatabase(folder / "official.db")
        await prepare(provider, first.url, folder)
        shutil.copy(folder / "official.db", folder / "ours.db")
        second: Database = SqliteDatabase(folder / "ours.db")
    else:
        name = await server.create_database()
        await prepare(provider, server.url(name), folder)
        copy = await server.create_database(template=name)
        first = await PostgresDatabase.open(server.url(name))
        second = await PostgresDatabase.open(server.url(copy))
    for database in (first, second):
        await database.keep_as_seed()
    try:
        yield first, second
    finally:
        await first.close()
        await second.close()


@asynccontextmanager
async def clients(databases: tuple[Database, Database], dmmf: Mapping[str, Any]) -> AsyncGenerator[Pair]:
    """The official client on the first database, ours on the second."""
    first, second = databases
    official = Official(await OfficialClient.start(first.provider, first.url))
    ours = await Ours.start(second.provider, second.url, dmmf)
    try:
        yield Pair(official, ours, first, second)
    finally:
        await official.close()
        await ours.close()
