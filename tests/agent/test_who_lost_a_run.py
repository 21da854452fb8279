"""Who lost a run, or stands still in the middle of a transaction, does not stand in the way of who has the run."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agent.approvals import Approvals
from agent.run_store import RunStore
from agent.state import PlannedCall
from prisma import Prisma
from prisma.engine import EngineOptions
from prisma.errors import DatabaseConnectionError
from prisma.migrate.apply import migrate
from tests.support.desk_tools import Desk, desk_tools
from tools.context import utc_now

pytestmark = pytest.mark.service


async def new_run(db: Prisma) -> str:
    await db.tenant.create(data={"id": "default", "name": "Demo company"})
    thread = await db.thread.create(data={"tenant_id": "default"})
    run = await db.run.create(
        data={"tenant_id": "default", "thread_id": thread.id, "status": "running", "input": "", "model": "test"}
    )
    return run.id


async def test_who_lost_a_run_and_who_has_it_ask_the_same_question_at_once(postgres_url: str):
    await migrate(postgres_url)
    async with Prisma(postgres_url) as db:
        run_id, tool = await new_run(db), desk_tools(Desk())["pay"]
        for number in range(20):
            call = PlannedCall(id=f"call_{number}", tool="pay", arguments={}, origins={}, digest="d")
            asking = [
                Approvals(db, utc_now).ask(
                    tenant_id="default", run_id=run_id, tool=tool, call=call, lifetime=timedelta(hours=1)
                )
                for _ in range(8)
            ]
            assert len(set(await asyncio.gather(*asking))) == 1


async def test_a_run_whose_row_is_locked_by_who_stands_still_is_claimed(postgres_url: str):
    await migrate(postgres_url)
    async with (
        Prisma(postgres_url, options=EngineOptions(idle_timeout=0.3)) as frozen,
        Prisma(postgres_url) as other,
    ):
        run_id = await new_run(other)
        transaction = frozen.tx(timeout=60)
        tx = await transaction.__aenter__()
        await tx.run.update_many(data={"input": "of the dead"}, where={"id": run_id})
        async with asyncio.timeout(10):
            claimed = await RunStore(other, utc_now).claim(run_id, stretch=0, owner_id="other")
        assert claimed is not None
        assert (claimed.owner_id, claimed.input) == ("other", "")
        with pytest.raises(DatabaseConnectionError):
            await transaction.__aexit__(None, None, None)
