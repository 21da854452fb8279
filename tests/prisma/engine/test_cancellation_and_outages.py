"""Nothing is lost, left locked or half written when tasks are cancelled or the server goes away."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from prisma.errors import DatabaseConnectionError, PrismaError, TransactionError
from tests.support.cancellation import cancel_at
from tests.support.library_database import Library, nested, postgres_library
from tests.support.postgres import PostgresServer

MANY = 200  # more places than any of these operations waits at


async def idle(library: Library) -> None:
    """Wait until every connection is back in its pool; fail when one never comes."""
    driver: Any = library.engine.driver
    pools = [driver.pool] if library.engine.provider == "postgresql" else [driver.writers, driver.readers]
    for _ in range(500):
        if not any(pool.in_use for pool in pools):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("a connection was never given back")


def tree(number: int) -> dict[str, Any]:
    return {
        "email": f"{number}@x",
        "posts": {"create": [{"title": f"{number}", "tags": {"create": [{"name": f"t{number}"}]}}]},
        "profile": {"create": {"bio": "b"}},
    }


async def assert_whole(library: Library) -> int:
    """Every user has its post, tag and profile; the number of users."""
    users = await library.ask(
        "User", "findMany", select={"posts": nested(inside={"tags": nested()}), "profile": nested()}
    )
    for user in users:
        assert user["profile"] is not None
        assert len(user["posts"]) == 1
        assert len(user["posts"][0]["tags"]) == 1
    assert await library.count("Post") == await library.count("Tag") == await library.count("Profile") == len(users)
    return len(users)


async def test_a_nested_write_cancelled_at_any_await_is_whole_or_absent(library: Library):
    for place in range(1, MANY):
        number = place

        async def write(number: int = number) -> None:
            await library.ask("User", "createOne", data=tree(number))

        cancelled = await cancel_at(place, write)
        await idle(library)
        await assert_whole(library)
        if not cancelled:
            break
    else:
        raise AssertionError("the operation never ended")
    await library.ask("User", "createOne", data=tree(MANY))
    assert place > 1


async def test_a_read_cancelled_at_any_await_gives_its_connection_back(library: Library):
    await library.ask("User", "createOne", data=tree(1))

    async def read() -> None:
        await library.ask("User", "findMany", where={"posts": {"some": {}}}, select={"posts": nested()})

    place = 1
    while await cancel_at(place, read):
        place += 1
        await idle(library)
        assert place < MANY
    assert place > 1


async def test_a_transaction_cancelled_at_any_await_is_whole_or_absent(library: Library):
    for place in range(1, MANY):
        number = place

        async def block(number: int = number) -> None:
            async with library.engine.tx() as tx:
                await library.ask("Tag", "createOne", data={"name": f"{number}a"}, tx=tx)
                await library.engine.query_raw("SELECT 1", tx=tx)
                await library.ask("Tag", "createOne", data={"name": f"{number}b"}, tx=tx)

        cancelled = await cancel_at(place, block)
        await idle(library)
        names = {row["name"] for row in await library.rows("Tag")} & {f"{number}a", f"{number}b"}
        assert len(names) in {0, 2}
        if not cancelled:
            break
    else:
        raise AssertionError("the block never ended")
    assert place > 3


async def test_a_nested_write_cancelled_in_a_transaction_that_goes_on_is_whole_or_absent(library: Library):
    """Who catches the cancellation (a timeout, say) may go on, but not commit the half of a write."""
    for place in range(1, MANY):
        number, cancelled = place, False

        async def block(number: int = number) -> None:
            nonlocal cancelled
            async with library.engine.tx(timeout=30) as tx:
                await library.ask("Tag", "createOne", data={"name": f"before{number}"}, tx=tx)
                cancelled = await cancel_at(number, lambda: library.ask("User", "createOne", data=tree(number), tx=tx))

        committed = True
        try:
            await block()
        except TransactionError:
            committed = False
        await idle(library)
        before = await library.engine.execute_raw("DELETE FROM \"Tag\" WHERE name LIKE 'before%'")
        assert before == int(committed)
        await assert_whole(library)
        if not cancelled:
            break
    else:
        raise AssertionError("the operation never ended")
    assert place > 1


async def test_a_hundred_tasks_cancelled_at_random_leave_nothing_behind(library: Library):
    chance = random.Random(7)

    async def write(number: int) -> None:
        async with asyncio.timeout(chance.uniform(0, 0.2)):
            await library.ask("User", "createOne", data=tree(number))

    async def block(number: int) -> None:
        async with asyncio.timeout(chance.uniform(0, 0.2)), library.engine.tx(max_wait=5) as tx:
            await library.ask("User", "createOne", data=tree(number), tx=tx)

    tasks = [write(number) if number % 2 else block(number) for number in range(100)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), TimeoutError}
    await idle(library)
    written = await assert_whole(library)
    assert sum(result is None for result in results) <= written
    await library.ask("User", "createOne", data=tree(1000))


async def test_a_shape_that_many_want_at_once_is_compiled_once(library: Library):
    before = library.engine.cached_plans
    where = {"name": {"contains": "x"}, "age": {"gt": 1}, "active": True, "email": {"startsWith": "q"}}
    await asyncio.gather(*[library.ask("User", "findMany", where=where, take=17) for _ in range(30)])
    assert library.engine.cached_plans <= before + 1


@pytest.mark.service
async def test_the_pool_recovers_from_a_killed_server(postgres: PostgresServer):
    name = await postgres.create_database()
    async with postgres_library(postgres.url(name), connect_timeout=2.0) as library:
        await asyncio.gather(*[library.ask("User", "createOne", data=tree(number)) for number in range(20)])

        async def keep_writing(number: int) -> None:
            for step in range(20):
                await library.ask("User", "createOne", data=tree(1000 * (number + 1) + step))
                await asyncio.sleep(0.01)

        writers = [asyncio.ensure_future(keep_writing(number)) for number in range(10)]
        await asyncio.sleep(0.05)
        await asyncio.to_thread(postgres.kill)
        results = await asyncio.gather(*writers, return_exceptions=True)
        assert any(isinstance(result, DatabaseConnectionError) for result in results)
        assert {type(result) for result in results if result is not None} <= set(_subclasses(DatabaseConnectionError))
        with pytest.raises(DatabaseConnectionError):
            await library.ask("Tag", "findMany")
        await asyncio.to_thread(postgres.start)
        await idle(library)
        assert await assert_whole(library) >= 20
        await library.ask("User", "createOne", data=tree(999_999))
    await postgres.drop_database(name)


@pytest.mark.service
async def test_idle_connections_that_died_are_replaced_without_an_error(postgres: PostgresServer):
    name = await postgres.create_database()
    async with postgres_library(postgres.url(name)) as library:
        await asyncio.gather(*[library.ask("Tag", "findMany") for _ in range(10)])
        await asyncio.to_thread(postgres.restart)
        assert await library.ask("Tag", "findMany") == []
        await library.ask("User", "createOne", data=tree(1))
        async with library.engine.tx() as tx:
            await library.ask("Tag", "findMany", tx=tx)
    await postgres.drop_database(name)


async def test_a_transaction_is_rolled_back_when_its_task_is_cancelled_between_statements(library: Library):
    inside = asyncio.Event()

    async def block() -> None:
        async with library.engine.tx(timeout=30) as tx:
            await library.ask("Tag", "createOne", data={"name": "a"}, tx=tx)
            inside.set()
            await asyncio.sleep(30)

    task = asyncio.ensure_future(block())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await idle(library)
    assert await library.count("Tag") == 0


async def test_disconnecting_waits_for_what_runs(library: Library):
    running = asyncio.ensure_future(library.ask("User", "createOne", data=tree(1)))
    await asyncio.sleep(0)
    await library.engine.disconnect()
    outcome = (await asyncio.gather(running, return_exceptions=True))[0]
    assert isinstance(outcome, (dict, PrismaError))
    with pytest.raises(PrismaError, match="not connected"):
        await library.ask("Tag", "findMany")
    await library.engine.connect()
    assert await assert_whole(library) == isinstance(outcome, dict)


async def test_a_cancelled_disconnect_may_be_tried_again_and_so_may_connect(library: Library):
    for again in (library.engine.disconnect, library.engine.connect):
        async with library.engine.tx(timeout=30) as tx:
            await library.ask("Tag", "createOne", data={"name": again.__name__}, tx=tx)
            leaving = asyncio.ensure_future(library.engine.disconnect())
            await asyncio.sleep(0.05)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        await again()
        await library.engine.connect()
        assert await library.count("Tag") == (1 if again == library.engine.disconnect else 2)
    place = 1
    while await cancel_at(place, library.engine.disconnect):
        place += 1
        await library.engine.connect()
        assert await library.count("Tag") == 2
    await library.engine.connect()


def _subclasses(kind: type[Any]) -> list[type[Any]]:
    return [kind, *[below for child in kind.__subclasses__() for below in _subclasses(child)]]
