"""Who is dead and who is not, as seen through a database that comes and goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.durable import replicas
from agent.durable.replicas import Replicas
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma


@pytest.fixture
def watcher(database: Prisma, monkeypatch: pytest.MonkeyPatch) -> tuple[Replicas, list[str]]:
    """One who watches, and whom it takes over from."""
    monkeypatch.setattr(replicas, "DEAD_AFTER", 0.3)
    monkeypatch.setattr(replicas, "LOOK_GAP", 0.2)
    dead: list[str] = []

    async def take_over(replica_id: str) -> bool:
        dead.append(replica_id)
        return True

    return Replicas(database, "we", utc_now, take_over), dead


async def elsewhere(db: Prisma) -> None:
    await db.replica.create(data={"id": "they", "host": "another", "pid": 1, "started_at": utc_now()})


async def test_who_stands_still_while_we_look_is_dead(database: Prisma, watcher: tuple[Replicas, list[str]]):
    we, dead = watcher
    await elsewhere(database)
    for _ in range(6):
        await we.watch()
        await asyncio.sleep(0.08)
    assert dead == ["they"]
    assert await database.replica.count(where={"id": "they"}) == 0


async def test_who_stood_still_while_the_database_was_away_is_not_dead(
    database: Prisma, watcher: tuple[Replicas, list[str]]
):
    we, dead = watcher
    await elsewhere(database)
    await we.watch()
    await asyncio.sleep(0.5)  # neither could reach it
    await we.watch()
    assert dead == []
