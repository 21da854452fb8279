"""SQLite: timeouts, locks of other processes, what is stored, what is reported."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prisma.drivers.connect import provider_of
from prisma.drivers.sqlite import path_of
from prisma.drivers.sqlite_errors import sqlite_error
from prisma.engine import Engine, QueryEvent
from prisma.errors import (
    ColumnNotFoundError,
    DatabaseError,
    ForeignKeyViolationError,
    InputError,
    InvalidValueError,
    MissingRequiredValueError,
    OperationTimeoutError,
    RawQueryError,
    TableNotFoundError,
    UniqueViolationError,
    UnreachableError,
    WriteConflictError,
)
from tests.support.library_database import COMMON, sqlite_library

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


async def test_an_operation_past_its_timeout_is_stopped(tmp_path: Path):
    async with sqlite_library(tmp_path, statement_timeout=0.2) as library:
        with pytest.raises(OperationTimeoutError) as caught:
            await library.engine.query_raw(ENDLESS)
        assert caught.value.code == "P1008"
        assert await library.ask("Tag", "findMany") == []


async def test_a_lock_of_another_process_is_a_conflict_that_may_be_tried_again(tmp_path: Path):
    async with sqlite_library(tmp_path, busy_timeout=0.05) as library:
        other = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WriteConflictError) as caught:
            await library.ask("Tag", "createOne", data={"name": "a"})
        assert (caught.value.code, caught.value.model) == ("P2034", "Tag")
        assert await library.ask("Tag", "findMany") == []
        other.execute("ROLLBACK")
        other.close()
        await library.ask("Tag", "createOne", data={"name": "a"})


async def test_readers_do_not_wait_for_a_transaction_that_writes(tmp_path: Path):
    async with sqlite_library(tmp_path) as library, library.engine.tx() as tx:
        await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
        async with asyncio.timeout(2):
            assert await library.ask("Tag", "findMany") == []


async def test_values_are_stored_as_prismas_own_client_stores_them(tmp_path: Path):
    async with sqlite_library(tmp_path) as library:
        await library.ask(
            "User",
            "createOne",
            data={
                "email": "a",
                "born": datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=UTC),
                "amount": Decimal("1.25"),
                "active": True,
                "avatar": b"\x00",
                "meta": {"a": 1},
                "balance": 2**40,
                "color": "blue",
            },
        )
        kinds = "typeof(born) t1, typeof(amount) t2, typeof(active) t3, typeof(avatar) t4, typeof(meta) t5"
        row = (await library.engine.query_raw(f'SELECT born, active, meta, balance, color, {kinds} FROM "User"'))[0]
    assert row == {
        "born": "2024-01-02T03:04:05.006+00:00",
        "active": 1,
        "meta": '{"a":1}',
        "balance": 2**40,
        "color": "BLUE",
        "t1": "text",
        "t2": "real",
        "t3": "integer",
        "t4": "blob",
        "t5": "text",
    }


@pytest.mark.parametrize(
    ("stored", "moment"),
    [
        (1704164645006, datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)),
        ("'2024-01-02 03:04:05'", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("'2024-01-02T05:04:05.5+02:00'", datetime(2024, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ("'2024-01-02T03:04:05Z'", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("'2024-01-02'", datetime(2024, 1, 2, tzinfo=UTC)),
        ("'03:04:05'", datetime(1970, 1, 1, 3, 4, 5, tzinfo=UTC)),
    ],
)
async def test_moments_written_by_others_are_read(tmp_path: Path, stored: Any, moment: datetime):
    async with sqlite_library(tmp_path) as library:
        await library.engine.execute_raw(f"INSERT INTO \"User\" (email, updated_at) VALUES ('a', {stored})")
        assert (await library.ask("User", "findFirst"))["updated_at"] == moment


async def test_a_lock_of_another_process_is_told_by_a_transactions_first_statement(tmp_path: Path):
    async with sqlite_library(tmp_path, busy_timeout=0.05) as library:
        other = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        async with library.engine.tx() as tx:
            with pytest.raises(WriteConflictError):
                await library.ask("Tag", "findMany", tx=tx)
            other.execute("ROLLBACK")
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
        other.close()
        assert len(await library.ask("Tag", "findMany")) == 1


async def test_a_moment_that_is_none_is_inconsistent_data(tmp_path: Path):
    async with sqlite_library(tmp_path) as library:
        await library.engine.execute_raw("INSERT INTO \"User\" (email, updated_at) VALUES ('a', 'soon')")
        with pytest.raises(InvalidValueError) as caught:
            await library.ask("User", "findFirst")
        assert caught.value.code == "P2023"


async def test_every_statement_is_reported_without_its_values(tmp_path: Path):
    events: list[QueryEvent] = []
    async with sqlite_library(tmp_path, on_query=events.append) as library:
        events.clear()
        await library.ask("Post", "createOne", data={"title": "secret", "tags": {"create": [{"name": "t"}]}})
        with pytest.raises(UniqueViolationError):
            await library.ask("Tag", "createOne", data={"name": "t"})
        async with library.engine.tx() as tx:
            await library.engine.query_raw("SELECT ?", "secret", tx=tx)
    words = [event.sql.split()[0] for event in events]
    assert words[0] == "BEGIN"
    assert words.count("COMMIT") == 1
    assert words[-2:] == ["INSERT", "SELECT"]
    assert (events[0].model, events[0].action) == ("Post", "createOne")
    assert (events[-1].model, events[-1].action, events[-1].parameter_count) == (None, "queryRaw", 1)
    assert all(event.duration >= 0 for event in events)
    assert "secret" not in repr(events)


async def test_a_database_in_memory_is_one_database(tmp_path: Path):
    engine = Engine.create(schema=COMMON, url="file::memory:")
    await engine.connect()
    await engine.execute_raw('CREATE TABLE "Tag" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL)')
    await asyncio.gather(
        *[engine.execute_raw('INSERT INTO "Tag" (name) VALUES (?)', str(number)) for number in range(5)]
    )
    assert len(await engine.query_raw('SELECT * FROM "Tag"')) == 5
    await engine.disconnect()


async def test_a_file_that_cannot_be_opened_says_so(tmp_path: Path):
    engine = Engine.create(schema=COMMON, url=f"file:{tmp_path}/no/such/folder/a.db")
    with pytest.raises(UnreachableError) as caught:
        await engine.connect()
    assert caught.value.code == "P1003"
    assert not engine.connected


async def test_errors_of_the_database_have_their_classes(tmp_path: Path):
    async with sqlite_library(tmp_path) as library:
        with pytest.raises(RawQueryError) as caught:
            await library.engine.query_raw("SELECT * FROM nowhere")
        assert caught.value.code == "P2010"
        await library.engine.execute_raw('DROP TABLE "Token"')
        with pytest.raises(TableNotFoundError, match="Token"):
            await library.ask("Token", "createOne", data={})
        await library.engine.execute_raw('ALTER TABLE "Team" RENAME COLUMN "name" TO "title"')
        with pytest.raises(ColumnNotFoundError):
            await library.ask("Team", "createOne", data={"name": "x"})
        with pytest.raises(RawQueryError, match="too large"):
            await library.engine.execute_raw("SELECT ?", 2**70)


@pytest.mark.parametrize(
    ("sql", "error", "fields"),
    [
        ("INSERT INTO p VALUES (1, 1)", UniqueViolationError, ("id",)),
        ("INSERT INTO p VALUES (2, NULL)", MissingRequiredValueError, ("n",)),
        ("INSERT INTO c VALUES (9)", ForeignKeyViolationError, ()),
        ("SELECT x FROM p", ColumnNotFoundError, ("x",)),
        ("SELECT 1 FROM q", TableNotFoundError, ()),
        ("SELEKT", DatabaseError, ()),
    ],
)
def test_each_kind_of_failure_is_mapped(sql: str, error: type[Exception], fields: tuple[str, ...]):
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY, n INT NOT NULL);"
        "CREATE TABLE c (p INT REFERENCES p (id)); INSERT INTO p VALUES (1, 1)"
    )
    with pytest.raises(sqlite3.Error) as caught:
        connection.execute(sql)
    connection.close()
    mapped = sqlite_error(caught.value)
    assert type(mapped) is error
    assert mapped.fields == fields


def test_urls_name_files():
    assert path_of("file:./a.db?mode=ro") == "a.db"
    assert path_of("file:/tmp/a.db") == "/tmp/a.db"
    assert path_of("file:///tmp/a.db") == "/tmp/a.db"
    assert path_of("file::memory:") == ":memory:"
    with pytest.raises(InputError, match="'mysql'") as caught:
        provider_of("mysql://user:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_process_ends_though_nobody_disconnected(tmp_path: Path):
    program = """
import asyncio
import os
from prisma import Prisma

async def main():
    db = Prisma("file:./left.db")
    await db.connect()
    await db.query_raw("SELECT 1")

asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, timeout=60, check=False)
    assert done.returncode == 0
