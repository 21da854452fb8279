"""A process that stands still in the middle of a transaction does not keep others from taking its run over."""

from __future__ import annotations

import asyncio

import pytest

from agent.run_store import RunStore
from prisma import Prisma
from prisma.engine import EngineOptions
from prisma.errors import DatabaseConnectionError
from prisma.migrate.apply import migrate
from tools.context import utc_now

pytestmark = pytest.mark.service


async def test_a_run_whose_row_is_locked_by_who_stands_still_is_claimed(postgres_url: str):
    await migrate(postgres_url)
    async with (
        Prisma(postgres_url, options=EngineOptions(idle_timeout=0.3)) as frozen,
        Prisma(postgres_url) as other,
    ):
        await other.tenant.create(data={"id": "default", "name": "Demo company"})
        thread = await other.thread.create(data={"tenant_id": "default"})
        data = {"tenant_id": "default", "thread_id": thread.id, "status": "running", "input": "", "model": "test"}
        run = await other.run.create(data=data)  # pyright: ignore[reportArgumentType]
        transaction = frozen.tx(timeout=60)
        tx = await transaction.__aenter__()
        await tx.run.update_many(data={"input": "of the dead"}, where={"id": run.id})
        async with asyncio.timeout(10):
            claimed = await RunStore(other, utc_now).claim(run.id, stretch=0, owner_id="other")
        assert claimed is not None
        assert (claimed.owner_id, claimed.input) == ("other", "")
        with pytest.raises(DatabaseConnectionError):
            await transaction.__aexit__(None, None, None)
