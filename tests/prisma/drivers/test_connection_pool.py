"""The pool of connections: order, bounds, cancellation."""

from __future__ import annotations

import asyncio

import pytest

from prisma.drivers.pool import Pool
from prisma.errors import ClientNotConnectedError, PoolTimeoutError


class Factory:
    """Opens numbered connections, and fails when it is told to."""

    def __init__(self) -> None:
        self.opened = 0
        self.failing = False
        self.delay = 0.0

    async def __call__(self) -> int:
        await asyncio.sleep(self.delay)
        if self.failing:
            raise OSError("refused")
        self.opened += 1
        return self.opened


async def test_the_last_connection_given_back_is_the_next_one_used():
    pool = Pool(Factory(), size=2)
    first, second = await pool.acquire(timeout=1), await pool.acquire(timeout=1)
    pool.release(first)
    pool.release(second)
    assert await pool.acquire(timeout=1) == second
    assert (pool.in_use, pool.opened) == (1, 2)


async def test_who_waits_first_is_served_first():
    pool = Pool(Factory(), size=1)
    held = await pool.acquire(timeout=1)
    order: list[str] = []

    async def wait(name: str) -> None:
        connection = await pool.acquire(timeout=1)
        order.append(name)
        pool.release(connection)

    tasks = [asyncio.ensure_future(wait(name)) for name in "abc"]
    await asyncio.sleep(0)
    pool.release(held)
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]


async def test_waiting_ends_with_an_error_that_says_why():
    pool = Pool(Factory(), size=1)
    held = await pool.acquire(timeout=1)
    with pytest.raises(PoolTimeoutError, match=r"0\.01 s; all 1 are in use") as caught:
        await pool.acquire(timeout=0.01)
    assert caught.value.code == "P2024"
    pool.release(held)
    assert await pool.acquire(timeout=0.01) == held


async def test_a_waiter_that_is_cancelled_as_it_is_served_passes_the_connection_on():
    pool = Pool(Factory(), size=1)
    held = await pool.acquire(timeout=1)
    waiter = asyncio.ensure_future(pool.acquire(timeout=1))
    await asyncio.sleep(0)
    pool.release(held)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert await pool.acquire(timeout=0.1) == held


async def test_a_connection_that_cannot_be_opened_frees_its_place():
    factory = Factory()
    factory.failing = True
    pool = Pool(factory, size=1)
    with pytest.raises(OSError, match="refused"):
        await pool.acquire(timeout=1)
    factory.failing = False
    assert await pool.acquire(timeout=0.1) == 1


async def test_opening_that_is_cancelled_frees_its_place():
    factory = Factory()
    factory.delay = 10
    pool = Pool(factory, size=1)
    opening = asyncio.ensure_future(pool.acquire(timeout=1))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert (pool.in_use, pool.opened) == (0, 0)


async def test_a_discarded_connection_is_replaced_for_who_waits():
    pool = Pool(Factory(), size=1)
    held = await pool.acquire(timeout=1)
    waiter = asyncio.ensure_future(pool.acquire(timeout=1))
    await asyncio.sleep(0)
    pool.discard(held)
    assert await waiter == 2
    assert pool.opened == 1


async def test_closing_waits_for_what_is_in_use_and_refuses_the_rest():
    pool = Pool(Factory(), size=1)
    held = await pool.acquire(timeout=1)
    waiter = asyncio.ensure_future(pool.acquire(timeout=5))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(pool.close())
    with pytest.raises(ClientNotConnectedError):
        await waiter
    with pytest.raises(ClientNotConnectedError):
        await pool.acquire(timeout=1)
    assert not closing.done()
    pool.release(held)
    assert await closing == [held]
    assert await pool.acquire(timeout=1) == 2
