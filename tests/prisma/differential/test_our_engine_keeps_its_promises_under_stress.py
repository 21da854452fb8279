"""The generated operations again: a hundred at once, cancelled at every await, with PostgreSQL killed and restarted.

Afterwards no connection is missing from its pool, nobody holds a lock, and no nested write is there by half.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from prisma.engine import Engine, EngineOptions, JsonQuery, in_serializable_transaction
from prisma.errors import DatabaseConnectionError
from tests.prisma.differential.comparison import compare_tables
from tests.prisma.differential.conftest import Bench
from tests.prisma.differential.official import schema_text
from tests.prisma.differential.operations import ACTIONS, READS, Json
from tests.prisma.differential.ours import Ours
from tests.prisma.differential.pairs import prepare
from tests.support.cancellation import cancel_at
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.service

AT_ONCE = 100
OUTAGES = 5
SETTLE_TIMEOUT = 20.0  # seconds


def examples(strategy: st.SearchStrategy[Json], count: int) -> list[Json]:
    """The first examples of a strategy: the same ones each time."""
    found: list[Json] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(strategy)
    def collect(example: Json) -> None:
        found.append(example)

    run: Any = collect
    run()
    return found


def mixed(bench: Bench, actions: list[str], count_of_each: int) -> list[Json]:
    operations = [one for action in actions for one in examples(bench.operations.one(action), count_of_each)]
    random.Random(0).shuffle(operations)
    return operations


def ours(bench: Bench) -> Ours:
    assert isinstance(bench.pair.actual, Ours)
    return bench.pair.actual


async def every_connection_is_back(engine: Engine) -> None:
    driver: Any = engine.driver
    pools = [driver.pool] if engine.provider == "postgresql" else [driver.writers, driver.readers]
    async with asyncio.timeout(SETTLE_TIMEOUT):
        while any(pool.in_use for pool in pools):  # noqa: ASYNC110 - connections come back in the background
            await asyncio.sleep(0.005)


async def nobody_holds_a_lock(bench: Bench) -> None:
    """Another connection can write every table at once, and every reference leads somewhere."""
    database = bench.pair.actual_database
    if database.provider == "sqlite":
        connection = sqlite3.connect(database.url.removeprefix("file:"), timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            connection.execute("COMMIT")
        finally:
            connection.close()
        return
    other = await asyncpg.connect(database.url)
    try:
        idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        assert await other.fetchval(idle) == 0
        async with other.transaction():
            await other.execute('LOCK TABLE users, posts, scalars, "Seat", "Ticket" IN ACCESS EXCLUSIVE MODE NOWAIT')
    finally:
        await other.close()


def test_a_hundred_tasks_at_once_read_what_the_official_client_reads_alone(bench: Bench):
    operations = mixed(bench, sorted(READS), 30)

    async def compare() -> list[str]:
        for database in (bench.pair.expected_database, bench.pair.actual_database):
            await database.reset()
        expected = [await bench.pair.expected.outcome(operation) for operation in operations]
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(operation: Json) -> Any:
            async with turns:
                return await bench.pair.actual.outcome(operation)

        actual = await asyncio.gather(*[one(operation) for operation in operations])
        await every_connection_is_back(ours(bench).engine)
        pairs = zip(operations, expected, actual, strict=True)
        return [f"{operation}\n{wanted}\n{got}" for operation, wanted, got in pairs if wanted != got]

    assert len(operations) >= 2 * AT_ONCE
    assert bench.runner.run(compare()) == []


def test_a_hundred_tasks_at_once_write_and_leave_no_lock_and_no_dangling_row(bench: Bench):
    operations = mixed(bench, [*ACTIONS], 12) + examples(bench.operations.batch(), 12)

    async def write() -> list[str | None]:
        await bench.pair.actual_database.reset()
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(operation: Json) -> str | None:
            async with turns:
                return (await bench.pair.actual.outcome(operation)).error

        errors = await asyncio.gather(*[one(operation) for operation in operations])
        await every_connection_is_back(ours(bench).engine)
        await nobody_holds_a_lock(bench)
        return errors

    errors = bench.runner.run(write())
    assert errors.count(None) > len(operations) / 3
    # A deadlock (P2034) is an answer; to have no connection (P1..., P2024) is not.
    assert not {error for error in errors if error and (error.startswith("P1") or error == "P2024")}
    bench.compare(operations[:5])  # it still works, and as the other client does


def test_a_write_cancelled_at_any_await_happens_whole_or_not_at_all(bench: Bench):
    writes = [action for action in ACTIONS if action not in READS]
    candidates = mixed(bench, writes, 8) + examples(bench.operations.batch(), 12)

    async def cancel_everywhere(operation: Json) -> int:
        """At how many places the operation was cancelled; 0 when it changes nothing."""
        expected, actual = bench.pair.expected_database, bench.pair.actual_database
        await expected.reset()
        before = await expected.dump()
        if (await bench.pair.expected.outcome(operation)).error:
            return 0
        after = await expected.dump()
        if before == after:
            return 0
        await actual.reset()
        await bench.pair.actual.outcome(operation)  # its plan is compiled now: the places are those of the execution
        place = 0
        while True:
            place += 1
            await actual.reset()
            cancelled = await cancel_at(place, lambda: ours(bench).execute(operation))
            await every_connection_is_back(ours(bench).engine)
            found = await actual.dump()
            if not cancelled:
                assert not compare_tables(after, found), operation
                return place - 1
            assert found in (before, after), f"half written at place {place}: {operation}"

    async def run() -> list[int]:
        places = [await cancel_everywhere(operation) for operation in candidates]
        await nobody_holds_a_lock(bench)
        return places

    places = bench.runner.run(run())
    assert sum(place > 0 for place in places) >= 15, "too few of the generated writes change anything"


def test_a_hundred_read_modify_write_transactions_end_at_a_hundred(bench: Bench):
    engine = ours(bench).engine
    where: Json = {"where": {"id": 1}}
    read: JsonQuery = {
        "modelName": "User",
        "action": "findUnique",
        "query": {"arguments": where, "selection": {"age": True}},
    }

    async def increment(tx: Any) -> None:
        age = (await engine.execute(read, tx=tx))["age"]
        await asyncio.sleep(0)
        data = {"data": {"age": age + 1}}
        query = {"arguments": where | data, "selection": {"id": True}}
        update: JsonQuery = {"modelName": "User", "action": "updateOne", "query": query}
        await engine.execute(update, tx=tx)

    async def run() -> int:
        await bench.pair.actual_database.reset()
        before = (await engine.execute(read))["age"]
        await asyncio.gather(*[in_serializable_transaction(engine.tx, increment) for _ in range(AT_ONCE)])
        await every_connection_is_back(engine)
        return (await engine.execute(read))["age"] - before

    assert bench.runner.run(run()) == AT_ONCE


# ---------------------------------------------------------------- the server goes away


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server that may be killed. What it acknowledged survives: a killed process loses nothing that was written."""
    server = PostgresServer(tmp_path / "data")
    yield server
    server.close()


@pytest.fixture
async def engine(own_server: PostgresServer, tmp_path: Path) -> AsyncGenerator[Engine]:
    name = await own_server.create_database()
    await prepare("postgresql", own_server.url(name), tmp_path)
    connection = await asyncpg.connect(own_server.url(name))
    await connection.execute(
        f'TRUNCATE users, "Tag" RESTART IDENTITY CASCADE; ALTER DATABASE "{name}" SET synchronous_commit = on'
    )
    await connection.close()
    options = EngineOptions(pool_size=8)
    engine = Engine.create(schema=schema_text("postgresql"), url=own_server.url(name), options=options)
    await engine.connect()
    yield engine
    await engine.disconnect()


def _tree(email: str) -> JsonQuery:
    posts = [{"title": title, "tags": {"create": {"name": f"{email} {title}"}}} for title in "xyz"]
    data = {"email": email, "posts": {"create": posts}, "profile": {"create": {"bio": email}}}
    return {
        "modelName": "User",
        "action": "createOne",
        "query": {"arguments": {"data": data}, "selection": {"id": True}},
    }


async def test_a_killed_and_restarted_server_costs_errors_but_no_half_and_no_loss(
    engine: Engine, own_server: PostgresServer
):
    acknowledged: set[str] = set()
    failed: list[str] = []
    stop = asyncio.Event()

    async def write(worker: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            email = f"{worker}-{number}"
            try:
                await engine.execute(_tree(email))
                acknowledged.add(email)
            except DatabaseConnectionError as error:
                failed.append(error.code)
                await asyncio.sleep(0.02)

    workers = [asyncio.create_task(write(worker)) for worker in range(20)]
    pause = random.Random(0)
    for _ in range(OUTAGES):
        reached = len(acknowledged)
        await asyncio.sleep(pause.uniform(0.2, 0.6))
        await asyncio.to_thread(own_server.kill)
        await asyncio.sleep(0.05)
        await asyncio.to_thread(own_server.start)
        async with asyncio.timeout(30):
            while len(acknowledged) < reached + 20:  # noqa: ASYNC110 - it works again
                await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*workers)
    await every_connection_is_back(engine)

    assert failed, "no operation met an outage: the test proves nothing"
    rows = await engine.query_raw(
        "SELECT u.email, count(DISTINCT p.id) AS posts, count(DISTINCT t.id) AS tags, count(DISTINCT f.id) AS profiles "
        'FROM users u LEFT JOIN posts p ON p."authorId" = u.id LEFT JOIN "_PostToTag" pt ON pt."A" = p.id '
        'LEFT JOIN "Tag" t ON t.id = pt."B" LEFT JOIN "Profile" f ON f.user_id = u.id '
        "GROUP BY u.email"
    )
    halves = [row for row in rows if (row["posts"], row["tags"], row["profiles"]) != (3, 3, 1)]
    assert halves == []
    assert acknowledged - {row["email"] for row in rows} == set()
    idle = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    assert (await engine.query_raw(idle))[0]["n"] == 0
