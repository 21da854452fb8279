"""kill -9 on the way of a webhook, with the real engine: delivered all the same, repeated at most once, same id."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from prisma import Prisma
from tests.support.server_process import environment
from tests.support.webhook_receiver import SECRET, Receiver, answers

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0  # seconds; a machine that runs other tests at once is slow
pytestmark = pytest.mark.service


@asynccontextmanager
async def working(url: str, thread: str, where: str, receiver: Receiver) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The process of `tests/support/crashing_webhooks.py`, started, ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.crashing_webhooks", url, thread, where),
        cwd=ROOT,
        env=environment({"DESKCLERK_WEBHOOK_URL": receiver.url, "DESKCLERK_WEBHOOK_SECRET": SECRET}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert await process.stdout.readline() == b"ready\n"
        yield process
        if process.returncode is None:
            async with asyncio.timeout(PATIENCE):
                await process.communicate(b"")
            assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def die(url: str, db: Prisma, where: str, receiver: Receiver) -> None:
    thread = await db.thread.create(data={"tenant_id": "default"})
    async with working(url, thread.id, where, receiver) as process, asyncio.timeout(PATIENCE):
        assert await process.wait() == -signal.SIGKILL


async def delivered(db: Prisma) -> int:
    """Attempts of the one delivery, once the receiver has it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            [row] = await db.delivery.find_many()
            if row.status == "delivered":
                return row.attempts
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("where", "refused", "sent", "attempts"),
    [("recorded", 0, 1, 1), ("sent", 0, 2, 1), ("noted", 0, 1, 1), ("noted", 1, 2, 2), ("waiting", 1, 2, 2)],
)
async def test_a_webhook_survives_the_death_of_its_process(
    database: Prisma, database_url: str, where: str, refused: int, sent: int, attempts: int
):
    async with Receiver(*answers(*[500] * refused)) as receiver:
        await die(database_url, database, where, receiver)
        async with working(database_url, "-", "never", receiver):
            assert await delivered(database) == attempts
        assert len(receiver.attempts) == sent
        assert len({message_id for message_id, _ in receiver.attempts}) == 1
        assert set(receiver.kinds) == {"run.succeeded"}


async def test_another_living_process_takes_a_dead_ones_webhook_over(database: Prisma, database_url: str):
    async with Receiver() as receiver, working(database_url, "-", "never", receiver):
        await die(database_url, database, "recorded", receiver)
        began = asyncio.get_running_loop().time()
        assert await delivered(database) == 1
        assert asyncio.get_running_loop().time() - began < 15
        assert len(receiver.attempts) == 1
