from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import sys
import textwrap
from pathlib import Path

import pytest

from prisma.migrate import (
    ChangedMigration,
    DatabaseNewer,
    DatabaseUnreachable,
    FailedMigration,
    MigrationFailed,
    MigrationsLocked,
    migrate,
    resolve,
    status,
)
from prisma.migrate.history import read_migrations
from tests.support.migrations import Migrations, SqliteFile

FIRST, SECOND, THIRD = "20260101000000_first", "20260102000000_second", "20260103000000_third"


async def test_an_empty_database_gets_every_migration_once_and_oldest_first(
    sqlite_file: SqliteFile, migrations: Migrations
):
    applied = await migrate(sqlite_file.url, migrations=migrations.folder)
    assert [step.name for step in applied] == [FIRST, SECOND]
    assert sqlite_file.tables() == {"a", "b", "c", "_prisma_migrations"}
    assert await migrate(sqlite_file.url, migrations=migrations.folder) == []


async def test_a_row_holds_the_sha256_of_the_file_as_prisma_records_it(sqlite_file: SqliteFile, migrations: Migrations):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    content = (migrations.folder / "sqlite" / FIRST / "migration.sql").read_bytes()
    rows = sqlite_file.rows(
        "SELECT migration_name, checksum, finished_at IS NOT NULL, rolled_back_at, logs, applied_steps_count "
        "FROM _prisma_migrations ORDER BY migration_name"
    )
    assert rows[0] == (FIRST, hashlib.sha256(content).hexdigest(), 1, None, None, 1)


async def test_the_committed_migrations_apply_and_leave_nothing_pending(sqlite_file: SqliteFile):
    applied = await migrate(sqlite_file.url)
    assert [step.name for step in applied] == [migration.name for migration in read_migrations("sqlite")]
    assert (await status(sqlite_file.url)).up_to_date
    assert {"Tenant", "Invoice", "CacheEntry", "_DocumentToTag"} <= sqlite_file.tables()


async def test_the_status_of_a_missing_file_creates_no_file(sqlite_file: SqliteFile, migrations: Migrations):
    standing = await status(sqlite_file.url, migrations=migrations.folder)
    assert standing.pending == (FIRST, SECOND)
    assert not standing.up_to_date
    assert not sqlite_file.path.exists()


async def test_the_status_tells_applied_from_pending(sqlite_file: SqliteFile, migrations: Migrations):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER)")
    standing = await status(sqlite_file.url, migrations=migrations.folder)
    assert (standing.applied, standing.pending) == ((FIRST, SECOND), (THIRD,))


async def test_a_refused_statement_undoes_its_migration_and_keeps_the_ones_before(
    sqlite_file: SqliteFile, migrations: Migrations
):
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER);\nINSERT INTO d VALUES (1);\nCREATE TABLE a (id INTEGER);")
    with pytest.raises(
        MigrationFailed, match=r"'20260103000000_third' failed at statement 3: table a already"
    ) as error:
        await migrate(sqlite_file.url, migrations=migrations.folder)
    assert error.value.undone
    assert sqlite_file.tables() == {"a", "b", "c", "_prisma_migrations"}
    assert (await status(sqlite_file.url, migrations=migrations.folder)).pending == (THIRD,)


async def test_a_changed_file_is_refused_before_anything_is_applied(sqlite_file: SqliteFile, migrations: Migrations):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    migrations.write(FIRST, "CREATE TABLE a (id TEXT)")
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER)")
    with pytest.raises(ChangedMigration, match=r"'20260101000000_first' was changed after it was applied") as error:
        await migrate(sqlite_file.url, migrations=migrations.folder)
    assert error.value.code == "migration_changed"
    assert "d" not in sqlite_file.tables()


async def test_a_newer_database_is_refused_with_the_migration_it_has(sqlite_file: SqliteFile, migrations: Migrations):
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER)")
    await migrate(sqlite_file.url, migrations=migrations.folder)
    migrations.remove(THIRD)
    with pytest.raises(
        DatabaseNewer, match=r"the last one '20260103000000_third'\. It was migrated by a newer version"
    ):
        await migrate(sqlite_file.url, migrations=migrations.folder)


@pytest.mark.parametrize("applied", [True, False])
async def test_a_half_done_migration_is_refused_until_a_person_resolves_it(
    sqlite_file: SqliteFile, migrations: Migrations, applied: bool
):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    sqlite_file.rows(
        f"UPDATE _prisma_migrations SET finished_at = NULL, logs = 'boom' WHERE migration_name = '{SECOND}'"
    )
    with pytest.raises(FailedMigration, match=r"stopped half-way in an earlier run\. It said: boom"):
        await migrate(sqlite_file.url, migrations=migrations.folder)
    if not applied:
        sqlite_file.rows("DROP TABLE c")
    await resolve(sqlite_file.url, SECOND, applied=applied, migrations=migrations.folder)
    done = await migrate(sqlite_file.url, migrations=migrations.folder)
    assert [step.name for step in done] == ([] if applied else [SECOND])
    assert (await status(sqlite_file.url, migrations=migrations.folder)).up_to_date


async def test_only_a_failed_migration_can_be_resolved(sqlite_file: SqliteFile, migrations: Migrations):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    with pytest.raises(ValueError, match="not in a failed state"):
        await resolve(sqlite_file.url, FIRST, applied=True, migrations=migrations.folder)


async def test_redefining_a_table_deletes_no_row_that_refers_to_it(sqlite_file: SqliteFile, migrations: Migrations):
    """What Prisma writes for a changed column; inside a transaction its PRAGMA alone would not hold the cascade off."""
    migrations.write(
        THIRD,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);\n"
        "CREATE TABLE child (id INTEGER, p INTEGER REFERENCES parent (id) ON DELETE CASCADE);\n"
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1);",
    )
    await migrate(sqlite_file.url, migrations=migrations.folder)
    migrations.write(
        "20260104000000_redefine",
        "PRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n"
        "CREATE TABLE new_parent (id INTEGER PRIMARY KEY, x TEXT);\n"
        "INSERT INTO new_parent (id) SELECT id FROM parent;\nDROP TABLE parent;\n"
        "ALTER TABLE new_parent RENAME TO parent;\n"
        "PRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;",
    )
    await migrate(sqlite_file.url, migrations=migrations.folder)
    assert sqlite_file.rows("SELECT * FROM child") == [(1, 1)]


async def test_a_migration_that_leaves_a_row_without_its_parent_is_undone(
    sqlite_file: SqliteFile, migrations: Migrations
):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    migrations.write(THIRD, "CREATE TABLE d (a INTEGER REFERENCES a (id)); INSERT INTO d VALUES (7);")
    with pytest.raises(MigrationFailed, match=r"1 row\(s\) would refer to nothing, such as row 1 of d to a"):
        await migrate(sqlite_file.url, migrations=migrations.folder)
    assert "d" not in sqlite_file.tables()


async def test_waiting_for_another_process_ends_with_a_clear_error(sqlite_file: SqliteFile, migrations: Migrations):
    await migrate(sqlite_file.url, migrations=migrations.folder)
    other = sqlite3.connect(sqlite_file.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MigrationsLocked, match=r"for more than 0\.2 s"):
            await migrate(sqlite_file.url, migrations=migrations.folder, lock_timeout_seconds=0.2)
    finally:
        other.close()


async def test_a_cancelled_migration_leaves_the_file_as_it_was_and_unlocked(
    sqlite_file: SqliteFile, migrations: Migrations
):
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)"
    await migrate(sqlite_file.url, migrations=migrations.folder)
    migrations.write(THIRD, f"CREATE TABLE d (id INTEGER);\nINSERT INTO d {numbers} SELECT count(*) FROM n;")
    task = asyncio.create_task(migrate(sqlite_file.url, migrations=migrations.folder))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "d" not in sqlite_file.tables()
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER)")
    assert [step.name for step in await migrate(sqlite_file.url, migrations=migrations.folder)] == [THIRD]


async def test_a_file_that_is_no_database_is_named(sqlite_file: SqliteFile, migrations: Migrations):
    sqlite_file.path.parent.mkdir()
    sqlite_file.path.write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(DatabaseUnreachable, match=r"test\.db: file is not a database"):
        await migrate(sqlite_file.url, migrations=migrations.folder)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, migrations: Migrations):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnreachable, match=r"Cannot open the database at .*file/x\.db"):
        await migrate(f"file:{tmp_path}/file/x.db", migrations=migrations.folder)


async def test_of_processes_at_once_one_applies_and_the_others_wait(sqlite_file: SqliteFile, migrations: Migrations):
    script = textwrap.dedent("""
        import asyncio, pathlib, sys
        from prisma.migrate import migrate
        print(len(asyncio.run(migrate(sys.argv[1], migrations=pathlib.Path(sys.argv[2])))))
    """)
    command = [sys.executable, "-c", script, sqlite_file.url, str(migrations.folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    starts = [asyncio.create_subprocess_exec(*command, env=environment, stdout=-1, stderr=-1) for _ in range(4)]
    outputs = [await process.communicate() for process in await asyncio.gather(*starts)]
    assert [stderr for _, stderr in outputs] == [b""] * 4
    assert sum(int(stdout) for stdout, _ in outputs) == 2
    assert len(sqlite_file.rows("SELECT * FROM _prisma_migrations")) == 2
