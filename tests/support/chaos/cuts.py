"""The database goes away, and servers stand still while others go on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import asyncpg

from prisma import Prisma
from tests.support.chaos.replica import Replica
from tests.support.chaos.rounds import Trial
from tests.support.postgres import PostgresServer

AWAY = 3.0  # seconds
TAKEN_WITHIN = 30.0  # seconds; what is promised is asserted by the tests


async def cut_connections(postgres: PostgresServer, url: str) -> int:
    """End everybody's connections to a database. How many there were."""
    name = url.partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(postgres.url())
    try:
        rows = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
        return len(rows)
    finally:
        await connection.close()


async def stop_for_a_while(postgres: PostgresServer, seconds: float = AWAY) -> None:
    """Stop the whole server as a power cut does, and start it again."""
    await asyncio.to_thread(postgres.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(postgres.start)


async def cut_again_and_again(
    made: Trial,
    cut: Callable[[], Awaitable[object]],
    *,
    cuts: int,
    open_orders: int,
    seconds: float,
    start: bool = True,
) -> None:
    """Cut at random moments while orders are worked on. `start`: the servers do not run yet."""
    if start:
        await asyncio.gather(*(replica.start() for replica in made.replicas))
    for _ in range(cuts):
        made.send_orders(open_orders)
        await asyncio.sleep(random.uniform(0, seconds))
        await cut()
        made.disturb()
    await made.conclude()


async def taken_over(db: Prisma, run_ids: list[str], *, from_: set[str]) -> None:
    """Wait until none of these runs is one of a dead server's any more."""
    async with asyncio.timeout(TAKEN_WITHIN):
        while True:
            rows = await db.run.find_many(where={"id": {"in": run_ids}, "status": {"in": ["queued", "running"]}})
            if not any(row.owner_id in from_ for row in rows):
                return
            await asyncio.sleep(0.02)


async def replica_id_of(db: Prisma, replica: Replica) -> str:
    """The name that a server gave itself."""
    row = await db.replica.find_first(where={"pid": replica.pid}, order={"started_at": "desc"})
    assert row is not None
    return row.id


async def freeze_in_turn(made: Trial, *, times: int, open_orders: int, chance: random.Random) -> list[float]:
    """A server stands still until its runs are taken over, and wakes up then. Seconds until they were taken over."""
    seconds: list[float] = []
    await asyncio.gather(*(replica.start() for replica in made.replicas))
    async with Prisma(made.url) as db:
        for number in range(times):
            made.send_orders(open_orders)
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            victim = made.replicas[number % len(made.replicas)]
            name = await replica_id_of(db, victim)
            victim.freeze()
            made.disturb()
            rows = await db.run.find_many(where={"owner_id": name, "status": {"in": ["queued", "running"]}})
            began = time.monotonic()
            await taken_over(db, [row.id for row in rows], from_={name})
            if rows:
                seconds.append(time.monotonic() - began)
            victim.thaw()
            await asyncio.sleep(chance.uniform(0.0, 1.0))
    await made.conclude()
    return seconds


async def kill_in_turn(made: Trial, *, times: int, open_orders: int, chance: random.Random) -> list[float]:
    """A server is killed and started again when its runs are taken over. Seconds until they were taken over."""
    seconds: list[float] = []
    await asyncio.gather(*(replica.start() for replica in made.replicas))
    async with Prisma(made.url) as db:
        for number in range(times):
            made.send_orders(open_orders)
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            victim = made.replicas[number % len(made.replicas)]
            name = await replica_id_of(db, victim)
            await made.kill(victim)
            rows = await db.run.find_many(where={"owner_id": name, "status": {"in": ["queued", "running"]}})
            began = time.monotonic()
            await taken_over(db, [row.id for row in rows], from_={name})
            if rows:
                seconds.append(time.monotonic() - began)
            await victim.start()
    await made.conclude()
    return seconds
