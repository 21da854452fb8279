"""A desk in this process takes a request before the durable engine is there; what needs the engine waits for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.durable.base import Handler
from agent.durable.dbos import DbosEngine
from agent.records import StoredEvent
from api.cli.desk import open_local_desk
from api.settings import ApiSettings
from prisma import Prisma
from tools.context import utc_now
from tools.seed import seed

START = DbosEngine.start


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiSettings:
    script = tmp_path / "script.json"
    calls = [{"tool": "list_products", "arguments": {"query": "gadget"}}]
    script.write_text(json.dumps({"native_tools": True, "answers": [{"calls": calls}, {"text": "Here they are."}]}))
    monkeypatch.setenv("DESKCLERK_LLM", f"scripted:{script}")
    return ApiSettings(database_url=f"file:{tmp_path}/desk.db")


async def _seed(db: Prisma) -> None:
    await seed(db, now=utc_now())


async def test_a_tool_waits_for_the_engine_and_the_first_answer_does_not(
    settings: ApiSettings, monkeypatch: pytest.MonkeyPatch
):
    asked, may_start = asyncio.Event(), asyncio.Event()

    async def late(self: DbosEngine, handlers: Mapping[str, Handler], *, replica_id: str) -> None:
        await may_start.wait()
        await START(self, handlers, replica_id=replica_id)

    monkeypatch.setattr(DbosEngine, "start", late)
    told: list[StoredEvent] = []
    async with open_local_desk(settings, prepare=_seed) as desk:

        async def ask() -> None:
            async for event in desk.run(await desk.begin_thread(), "Which gadgets are there?", []):
                told.append(event)
                asked.set()

        asking = asyncio.create_task(ask())
        await asked.wait()
        await asyncio.sleep(0.1)
        assert [event.type for event in told] == ["run.started"]
        may_start.set()
        await asking
        assert await desk.db.product.count() > 0
    assert [event.type for event in told if event.type != "token"] == [
        *("run.started", "tool.call", "tool.result"),
        *("message", "run.finished"),
    ]
    assert json.loads(told[-1].data)["status"] == "succeeded"


async def test_an_engine_that_cannot_start_ends_the_desk(settings: ApiSettings, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any) -> None:
        raise OSError("disk full")

    async def ask_and_wait() -> None:
        async with asyncio.timeout(20), open_local_desk(settings) as desk:
            async for _ in desk.run(await desk.begin_thread(), "Which gadgets are there?", []):
                pass
            await asyncio.sleep(20)

    monkeypatch.setattr(DbosEngine, "_launch", broken)
    with pytest.raises(OSError, match="disk full"):
        await ask_and_wait()


async def test_leaving_before_the_engine_is_there_is_no_error(settings: ApiSettings):
    async with open_local_desk(settings) as desk:
        await desk.begin_thread()
