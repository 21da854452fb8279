from __future__ import annotations

import asyncio
import os
import sys
import textwrap

import asyncpg
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
from prisma.migrate.history import NO_TRANSACTION, read_migrations
from tests.support.migrations import Migrations

pytestmark = pytest.mark.service

FIRST, SECOND, THIRD = "20260101000000_first", "20260102000000_second", "20260103000000_third"


async def fetch(url: str, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def tables(url: str, schema: str = "public") -> set[object]:
    return {row[0] for row in await fetch(url, f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")}


async def test_the_committed_migrations_apply_once_and_leave_nothing_pending(postgres_url: str):
    applied = await migrate(postgres_url)
    assert [step.name for step in applied] == [migration.name for migration in read_migrations("postgresql")]
    assert await migrate(postgres_url) == []
    assert (await status(postgres_url)).up_to_date
    assert {"Tenant", "Invoice", "_DocumentToTag"} <= await tables(postgres_url)


async def test_another_schema_of_the_url_is_created_and_used(postgres_url: str, migrations: Migrations):
    await migrate(f"{postgres_url}&schema=books", migrations=migrations.folder)
    assert await tables(postgres_url, "books") == {"a", "b", "c", "_prisma_migrations"}
    assert await tables(postgres_url) == set()


async def test_a_refused_statement_undoes_its_whole_migration(postgres_url: str, migrations: Migrations):
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER);\nBEGIN; COMMIT;\nCREATE TABLE a (id INTEGER);")
    with pytest.raises(MigrationFailed, match=r"failed at statement 2: relation \"a\" already exists\. The whole"):
        await migrate(postgres_url, migrations=migrations.folder)
    assert await tables(postgres_url) == {"a", "b", "c", "_prisma_migrations"}
    assert (await status(postgres_url, migrations=migrations.folder)).pending == (THIRD,)


async def test_a_statement_that_needs_no_transaction_says_what_to_write(postgres_url: str, migrations: Migrations):
    migrations.write(THIRD, "CREATE INDEX CONCURRENTLY i ON a (id);")
    with pytest.raises(MigrationFailed, match=r"first line is '-- deskclerk: no transaction'"):
        await migrate(postgres_url, migrations=migrations.folder)
    migrations.write(THIRD, f"{NO_TRANSACTION}\nCREATE INDEX CONCURRENTLY i ON a (id);")
    assert [step.name for step in await migrate(postgres_url, migrations=migrations.folder)] == [THIRD]
    assert await fetch(postgres_url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'i'") == [(1,)]


async def test_a_new_enum_value_used_at_once_says_what_to_do(postgres_url: str, migrations: Migrations):
    migrations.write(THIRD, "CREATE TYPE e AS ENUM ('x'); CREATE TABLE d (e e);")
    await migrate(postgres_url, migrations=migrations.folder)
    migrations.write("20260104000000_value", "ALTER TYPE e ADD VALUE 'y';\nALTER TABLE d ALTER e SET DEFAULT 'y';")
    with pytest.raises(MigrationFailed, match=r"use it in the next migration"):
        await migrate(postgres_url, migrations=migrations.folder)


@pytest.mark.parametrize("applied", [True, False])
async def test_a_half_done_migration_is_refused_until_a_person_resolves_it(
    postgres_url: str, migrations: Migrations, applied: bool
):
    migrations.write(THIRD, f"{NO_TRANSACTION}\nCREATE TABLE d (id INTEGER);\nCREATE TABLE a (id INTEGER);")
    with pytest.raises(MigrationFailed, match=r"statement 2.*so the statements before it stay applied"):
        await migrate(postgres_url, migrations=migrations.folder)
    assert "d" in await tables(postgres_url)
    with pytest.raises(FailedMigration, match=r"It said: Migration '20260103000000_third' failed at statement 2"):
        await migrate(postgres_url, migrations=migrations.folder)
    await resolve(postgres_url, THIRD, applied=applied, migrations=migrations.folder)
    if applied:
        assert await migrate(postgres_url, migrations=migrations.folder) == []
    else:
        with pytest.raises(MigrationFailed, match=r"statement 1: relation \"d\" already exists"):
            await migrate(postgres_url, migrations=migrations.folder)


async def test_a_changed_file_and_a_newer_database_are_refused(postgres_url: str, migrations: Migrations):
    await migrate(postgres_url, migrations=migrations.folder)
    migrations.write(FIRST, "CREATE TABLE a (id TEXT)")
    with pytest.raises(ChangedMigration):
        await migrate(postgres_url, migrations=migrations.folder)
    migrations.remove(FIRST)
    with pytest.raises(DatabaseNewer):
        await migrate(postgres_url, migrations=migrations.folder)


async def test_prismas_own_lock_keeps_us_waiting(postgres_url: str, migrations: Migrations):
    cli = await asyncpg.connect(postgres_url)
    try:
        await cli.execute("SELECT pg_advisory_lock(72707369)")
        with pytest.raises(MigrationsLocked):
            await migrate(postgres_url, migrations=migrations.folder, lock_timeout_seconds=0.3)
        await cli.execute("SELECT pg_advisory_unlock(72707369)")
        assert len(await migrate(postgres_url, migrations=migrations.folder, lock_timeout_seconds=0.3)) == 2
    finally:
        await cli.close()


async def test_a_cancelled_migration_is_undone_and_unlocked(postgres_url: str, migrations: Migrations):
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER);\nSELECT pg_sleep(60);")
    task = asyncio.create_task(migrate(postgres_url, migrations=migrations.folder))
    while "c" not in await tables(postgres_url):  # noqa: ASYNC110 - another process is watched
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    migrations.write(THIRD, "CREATE TABLE d (id INTEGER)")
    assert [step.name for step in await migrate(postgres_url, migrations=migrations.folder)] == [THIRD]


MIGRATE = textwrap.dedent("""
    import asyncio, pathlib, sys
    from prisma.migrate import migrate
    print(len(asyncio.run(migrate(sys.argv[1], migrations=pathlib.Path(sys.argv[2])))))
""")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


async def test_of_processes_at_once_one_applies_and_the_others_wait(postgres_url: str, migrations: Migrations):
    command = [sys.executable, "-c", MIGRATE, postgres_url, str(migrations.folder)]
    starts = [asyncio.create_subprocess_exec(*command, env=ENVIRONMENT, stdout=-1, stderr=-1) for _ in range(4)]
    outputs = [await process.communicate() for process in await asyncio.gather(*starts)]
    assert [stderr for _, stderr in outputs] == [b""] * 4
    assert sum(int(stdout) for stdout, _ in outputs) == 2
    assert await fetch(postgres_url, "SELECT count(*) FROM _prisma_migrations") == [(2,)]


@pytest.mark.parametrize("first_line", ["", f"{NO_TRANSACTION}\n"], ids=["transaction", "no transaction"])
async def test_a_process_killed_in_the_middle_leaves_no_half_unless_it_is_recorded(
    postgres_url: str, migrations: Migrations, first_line: str
):
    migrations.write(THIRD, f"{first_line}CREATE TABLE d (id INTEGER);\nSELECT pg_sleep(60);")
    command = [sys.executable, "-c", MIGRATE, postgres_url, str(migrations.folder)]
    process = await asyncio.create_subprocess_exec(*command, env=ENVIRONMENT)
    sleeping = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'"
    while not await fetch(postgres_url, sleeping):  # noqa: ASYNC110 - another process is watched
        await asyncio.sleep(0.05)
    process.kill()
    await process.wait()
    # PostgreSQL notices a dead client only when it writes to it.
    await fetch(postgres_url, f"SELECT pg_terminate_backend(pid) FROM ({sleeping}) AS left_over")
    standing = await status(postgres_url, migrations=migrations.folder)
    if first_line:
        assert standing.failed == (THIRD,)
        assert "d" in await tables(postgres_url)
    else:
        assert standing.pending == (THIRD,)
        assert "d" not in await tables(postgres_url)


async def test_a_server_that_is_not_there_is_named_without_the_password():
    with pytest.raises(
        DatabaseUnreachable, match=r"at postgresql://u:\*\*\*@127\.0\.0\.1:1/d: .*refused|Connect call failed"
    ):
        await migrate("postgresql://u:secret@127.0.0.1:1/d")
