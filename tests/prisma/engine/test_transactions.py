"""Interactive transactions, timeouts and conflicts, on both databases."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from prisma.engine import EngineOptions, Transaction, in_serializable_transaction
from prisma.errors import (
    DataError,
    InputError,
    OperationTimeoutError,
    PrismaError,
    RecordNotFoundError,
    TransactionError,
    TransactionExpiredError,
    TransactionNotStartedError,
    UniqueViolationError,
    WriteConflictError,
)
from tests.support.library_database import Library


async def connections_in_use(library: Library) -> int:
    """Connections that are not back in their pool, after what runs in the background has had time to end."""
    driver: Any = library.engine.driver
    pools = [driver.pool] if library.engine.provider == "postgresql" else [driver.writers, driver.readers]
    for _ in range(200):
        if not any(pool.in_use for pool in pools):
            return 0
        await asyncio.sleep(0.02)
    return sum(pool.in_use for pool in pools)


async def test_a_block_that_ends_is_committed(library: Library):
    async with library.engine.tx() as tx:
        await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
        assert await library.ask("Tag", "findMany", tx=tx)
        assert await library.ask("Tag", "findMany") == []
    assert await library.count("Tag") == 1
    assert await connections_in_use(library) == 0


async def test_a_block_that_raises_is_rolled_back(library: Library):
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the transaction
        async with library.engine.tx() as tx:
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
            await library.engine.execute_raw("INSERT INTO \"Tag\" (name) VALUES ('b')", tx=tx)
            _ = 1 / 0
    assert await library.count("Tag") == 0
    assert await connections_in_use(library) == 0


async def test_a_caught_failure_of_a_nested_write_leaves_none_of_it(library: Library):
    async with library.engine.tx() as tx:
        await library.ask("Tag", "createOne", data={"name": "kept"}, tx=tx)
        with pytest.raises(UniqueViolationError):
            await library.ask("Post", "createOne", data={"title": "p", "tags": {"create": [{"name": "kept"}]}}, tx=tx)
        post = {"title": "p", "comments": {"create": [{"text": "c"}]}, "author": {"connect": {"id": 99}}}
        with pytest.raises(RecordNotFoundError):
            await library.ask("Post", "createOne", data=post, tx=tx)
        await library.ask("Tag", "createOne", data={"name": "after"}, tx=tx)
    assert [row["name"] for row in await library.rows("Tag")] == ["kept", "after"]
    assert await library.count("Post") == 0


async def test_a_transaction_that_cannot_be_committed_says_so(library: Library):
    """PostgreSQL gives up a transaction at the first failed statement, and calls the COMMIT that follows a success."""

    async def block() -> None:
        async with library.engine.tx() as tx:
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
            with pytest.raises(UniqueViolationError):
                await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)

    if library.engine.provider == "postgresql":
        with pytest.raises(TransactionError, match="not committed: a statement in it had failed"):
            await block()
        assert await library.count("Tag") == 0
    else:
        await block()
        assert await library.count("Tag") == 1
    assert await connections_in_use(library) == 0


async def test_nothing_is_written_beside_a_transaction_that_the_database_ended(library: Library):
    """SQLite rolls back the whole transaction when a write in it is stopped; the next write would stand alone."""
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1e9) SELECT max(x) FROM c"
    slow = {"sqlite": f"({endless})", "postgresql": "pg_sleep(20)::text"}[library.engine.provider]
    driver: Any = library.engine.driver
    await library.engine.disconnect()
    driver._options = EngineOptions(statement_timeout=0.3)
    await library.engine.connect()
    with pytest.raises(PrismaError):  # noqa: PT012 - the block is the transaction
        async with library.engine.tx(timeout=30) as tx:
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
            with pytest.raises(OperationTimeoutError):
                await library.engine.execute_raw(f'UPDATE "Tag" SET name = name || {slow}', tx=tx)
            with pytest.raises(PrismaError):
                await library.ask("Tag", "createOne", data={"name": "b"}, tx=tx)
    assert await connections_in_use(library) == 0
    assert await library.count("Tag") == 0


async def test_an_error_of_the_block_is_heard_even_when_the_rollback_fails(library: Library):
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is the transaction
        async with library.engine.tx() as tx:
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
            await library.engine.execute_raw("ROLLBACK", tx=tx)
            _ = 1 / 0
    assert await library.count("Tag") == 0
    assert await connections_in_use(library) == 0


async def test_a_transaction_that_is_over_takes_nothing_more(library: Library):
    async with library.engine.tx() as tx:
        pass
    with pytest.raises(TransactionError, match="committed"):
        await library.ask("Tag", "findMany", tx=tx)


async def test_a_transaction_past_its_timeout_is_rolled_back(library: Library):
    with pytest.raises(TransactionExpiredError, match=r"0\.1 s"):  # noqa: PT012 - the block is the transaction
        async with library.engine.tx(timeout=0.1) as tx:
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
            await asyncio.sleep(0.3)
            await library.ask("Tag", "createOne", data={"name": "b"}, tx=tx)
    assert await connections_in_use(library) == 0
    assert await library.count("Tag") == 0


async def test_expiry_stops_a_statement_that_runs(library: Library):
    slow = {
        "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1e9) SELECT max(x) FROM c",
        "postgresql": "SELECT pg_sleep(20)",
    }[library.engine.provider]
    started = asyncio.get_running_loop().time()
    with pytest.raises(TransactionExpiredError):
        async with library.engine.tx(timeout=0.2) as tx:
            await library.engine.query_raw(slow, tx=tx)
    assert asyncio.get_running_loop().time() - started < 10
    assert await connections_in_use(library) == 0


async def test_work_asked_for_at_once_in_one_transaction_is_done_in_turn(library: Library):
    async with library.engine.tx() as tx:
        await asyncio.gather(
            *[library.ask("Tag", "createOne", data={"name": str(number)}, tx=tx) for number in range(10)]
        )
    assert await library.count("Tag") == 10


async def test_waiting_for_a_connection_has_an_end(library: Library):
    wanted = 1 if library.engine.provider == "sqlite" else 10
    blocks = [library.engine.tx(timeout=30) for _ in range(wanted)]
    for block in blocks:
        await block.__aenter__()
    with pytest.raises(TransactionNotStartedError, match=r"0\.05 s"):
        async with library.engine.tx(max_wait=0.05):
            pass
    for block in blocks:
        await block.__aexit__(None, None, None)
    assert await connections_in_use(library) == 0


async def test_sqlite_has_one_isolation_level(library: Library):
    if library.engine.provider == "sqlite":
        with pytest.raises(InputError, match="Serializable"):
            async with library.engine.tx(isolation="ReadCommitted"):
                pass
    async with library.engine.tx(isolation="Serializable"):
        pass


async def test_a_hundred_increments_end_at_a_hundred(library: Library):
    slot = await library.ask("Slot", "createOne", data={"room": "r", "hour": 1})

    async def increment(tx: Transaction) -> None:
        found = await library.ask("Slot", "findUnique", where={"id": slot["id"]}, tx=tx)
        await library.ask("Slot", "updateOne", where={"id": slot["id"]}, data={"taken": found["taken"] + 1}, tx=tx)

    await asyncio.gather(*[in_serializable_transaction(library.engine.tx, increment) for _ in range(100)])
    assert (await library.ask("Slot", "findUnique", where={"id": slot["id"]}))["taken"] == 100
    assert await connections_in_use(library) == 0


async def test_retrying_stops_at_its_bound(library: Library):
    calls = 0

    async def conflict(_tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        raise WriteConflictError("again")

    with pytest.raises(WriteConflictError):
        await in_serializable_transaction(library.engine.tx, conflict, attempts=3)
    assert calls == 3
    assert await connections_in_use(library) == 0


async def test_other_errors_are_not_retried(library: Library):
    calls = 0

    async def fail(_tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        raise DataError("no")

    with pytest.raises(DataError):
        await in_serializable_transaction(library.engine.tx, fail)
    assert calls == 1


async def test_a_transaction_in_which_nothing_is_asked_costs_the_database_nothing(library: Library):
    async with library.engine.tx():
        pass
    with pytest.raises(ZeroDivisionError):
        async with library.engine.tx():
            raise ZeroDivisionError
    assert await connections_in_use(library) == 0
    await library.ask("Tag", "createOne", data={"name": "a"})


async def test_a_first_statement_that_was_given_up_is_not_left_open(library: Library):
    """Its transaction ends after it, wherever it was when its caller gave up."""
    for turns in range(12):
        with suppress(ZeroDivisionError):
            async with library.engine.tx() as tx:
                asking = asyncio.create_task(library.ask("Tag", "createOne", data={"name": f"{turns}"}, tx=tx))
                for _ in range(turns):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                raise ZeroDivisionError
        assert await connections_in_use(library) == 0
        await library.ask("Tag", "createOne", data={"name": f"after {turns}"})
    names = [row["name"] for row in await library.ask("Tag", "findMany")]
    assert names == [f"after {turns}" for turns in range(12)]
