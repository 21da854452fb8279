"""Node and Prisma's own schema engine look at what our applier made."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prisma.migrate import migrate
from prisma.migrate.author import missing_sql, write_migration
from prisma.migrate.history import MIGRATIONS, read_migrations
from prisma.migrate.schema_engine import SCHEMA, run_schema_engine
from prisma.migrate.scratch import scratch_database
from prisma.migrate.urls import PROVIDERS, Provider

pytestmark = pytest.mark.service
for_each_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture
def database(provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with scratch_database(provider) as url:
        yield url


@for_each_provider
def test_there_is_no_drift(provider: Provider):
    assert missing_sql(provider) == "", "run `make migration NAME=...`"


def test_a_changed_schema_is_noticed_and_becomes_one_migration_per_provider(tmp_path: Path):
    schema, folder = tmp_path / "schema.prisma", tmp_path / "migrations"
    schema.write_text(SCHEMA.read_text().replace("model Tag {", "model Tag {\n  colour String?\n"))
    shutil.copytree(MIGRATIONS, folder)
    written = write_migration("add_colour", schema=schema, migrations=folder, now=datetime(2099, 1, 1, tzinfo=UTC))
    assert [str(file.relative_to(folder)) for file in written] == [
        f"{provider}/20990101000000_add_colour/migration.sql" for provider in PROVIDERS
    ]
    assert all('ALTER TABLE "Tag" ADD COLUMN' in file.read_text() for file in written)
    assert missing_sql("sqlite", schema=schema, migrations=folder) == ""


def test_a_migration_that_would_sort_before_the_last_one_is_not_written(tmp_path: Path):
    schema, folder = tmp_path / "schema.prisma", tmp_path / "migrations"
    schema.write_text(SCHEMA.read_text().replace("model Tag {", "model Tag {\n  colour String?\n"))
    shutil.copytree(MIGRATIONS, folder)
    with pytest.raises(ValueError, match="which is before the last migration"):
        write_migration("early", schema=schema, migrations=folder, now=datetime(2001, 1, 1, tzinfo=UTC))


@for_each_provider
def test_prismas_own_cli_would_find_our_history_in_order(provider: Provider, database: str):
    asyncio.run(migrate(database))
    directories = [
        {"path": one.name, "migrationFile": {"path": "migration.sql", "content": {"tag": "ok", "value": one.sql}}}
        for one in read_migrations(provider)
    ]
    lock = {"path": "migration_lock.toml", "content": (MIGRATIONS / provider / "migration_lock.toml").read_text()}
    answer = run_schema_engine(
        provider,
        database,
        "diagnoseMigrationHistory",
        {
            "migrationsList": {
                "baseDir": str(MIGRATIONS / provider),
                "lockfile": lock,
                "shadowDbInitScript": "",
                "migrationDirectories": directories,
            },
            "optInToShadowDatabase": False,
            "filters": {"externalTables": [], "externalEnums": []},
        },
    )
    assert answer == {
        "editedMigrationNames": [],
        "failedMigrationNames": [],
        "hasMigrationsTable": True,
        "history": None,
    }
