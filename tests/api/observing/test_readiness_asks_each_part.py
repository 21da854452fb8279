"""`/readyz`, part by part."""

from __future__ import annotations

import asyncio

import pytest

from agent.llm.backends.ollama import create
from agent.llm.errors import ModelUnavailable
from agent.llm.settings import LlmSettings
from api.checks import checks_of
from api.observing import readiness
from api.observing.readiness import NotWorking, Readiness
from tests.agent.conftest import OpenOffice, open_office
from tests.support.ollama_server import OllamaServer
from tests.support.scripted_model import Step, says

__all__ = ["open_office"]


async def test_a_part_that_hangs_or_breaks_is_told_and_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(readiness, "PATIENCE", 0.05)

    async def works() -> None:
        pass

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def breaks() -> None:
        raise ConnectionRefusedError("clerk:hunter2@10.0.0.7")

    asked = Readiness({"queue": works, "database": hangs, "model": breaks})
    assert await asked.troubles() == {
        "queue": "ok",
        "database": "no answer within 0.05 seconds",
        "model": "no answer (ConnectionRefusedError)",
    }


async def test_many_who_ask_at_once_ask_the_parts_once(monkeypatch: pytest.MonkeyPatch):
    asked = 0

    async def works() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)

    ready = Readiness({"database": works})
    await asyncio.gather(*(ready.troubles() for _ in range(50)))
    assert asked == 1
    monkeypatch.setattr(readiness, "FRESH", 0.0)
    await ready.troubles()
    assert asked == 2


async def test_a_queue_that_takes_nothing_more_is_not_ready(open_office: OpenOffice):
    office = await open_office([Step(answer=["tick "] * 50, pause=0.1)], max_running=1, max_queued=0)
    queue = checks_of(office.db, office.agent)["queue"]
    await queue()
    run_id = await office.ask()
    await office.model.started.wait()
    with pytest.raises(NotWorking, match="full"):
        await queue()
    from tests.agent.conftest import principal

    await office.agent.cancel(run_id, principal=principal("admin"))
    await office.agent.wait(run_id)
    await queue()


async def test_a_model_that_cannot_be_checked_is_taken_to_work(open_office: OpenOffice):
    office = await open_office([says("x")])
    await checks_of(office.db, office.agent)["model"]()


async def test_a_model_server_that_goes_away_is_noticed():
    async with OllamaServer() as server:
        backend = create("qwen3:8b", LlmSettings(ollama_host=server.http.url))
        await backend.start()
        await backend.check()
    with pytest.raises(ModelUnavailable):
        await backend.check()
    await backend.stop()
    with pytest.raises(ModelUnavailable):
        await backend.check()
