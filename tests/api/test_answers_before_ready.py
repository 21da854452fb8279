"""What the server says while its database and model are still being opened, or cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from agent.llm.base import OnProgress, Progress
from agent.llm.errors import ModelNotFound
from api import startup
from api.app import create_app
from api.service import Service
from api.settings import ApiSettings
from tests.support.asgi import in_process

Opening = Callable[[OnProgress | None], Awaitable[None]]
EMPTY = Service(db=cast("Any", None), agent=cast("Any", SimpleNamespace(ready=True)), model="scripted:none")


class Opener:
    """Opens a service in the way a test tells, and knows whether it was closed again."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.closed = False

    @asynccontextmanager
    async def __call__(
        self, settings: ApiSettings, *, on_progress: OnProgress | None = None
    ) -> AsyncGenerator[Service]:
        await self.opening(on_progress)
        try:
            yield EMPTY
        finally:
            self.closed = True


async def at_once(_: OnProgress | None) -> None:
    pass


async def until(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """The first answer of `/readyz` with `status`."""
    for _ in range(1000):
        answer = await client.get("/readyz")
        if answer.status_code == status:
            return answer
        await asyncio.sleep(0.005)
    raise AssertionError(f"/readyz never answered {status}")


async def test_while_it_loads_it_is_alive_and_says_how_far_it_is():
    may_go_on = asyncio.Event()

    async def load(on_progress: OnProgress | None) -> None:
        assert on_progress is not None
        on_progress(Progress("Loading weights", 3, 10))
        await may_go_on.wait()

    opener = Opener(load)
    async with in_process(create_app(ApiSettings(auth="off"), open_service=opener)) as client:
        await asyncio.sleep(0)
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["code"] == "not_ready"
        assert answer.json()["detail"] == "Loading: Loading weights."
        assert answer.json()["progress"] == {"what": "Loading weights", "done": 3, "total": 10, "unit": "B"}
        assert (await client.get("/v1/threads")).json()["code"] == "not_ready"
        may_go_on.set()
        assert (await until(client, 200)).json() == {"status": "ready", "parts": {}}
        assert not opener.closed
    assert opener.closed


async def test_a_model_that_is_missing_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(startup, "FIRST_RETRY", 0.01)
    tries: list[int] = []

    async def load(_: OnProgress | None) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ModelNotFound("There is no model 'qwen3:8b': ollama pull qwen3:8b")

    async with in_process(create_app(ApiSettings(auth="off"), open_service=Opener(load))) as client:
        await asyncio.sleep(0)
        assert (await client.get("/readyz")).json()["detail"] == "There is no model 'qwen3:8b': ollama pull qwen3:8b"
        await until(client, 200)
    assert len(tries) == 3


async def test_a_bug_while_starting_is_reported_to_whoever_runs_it_and_not_to_clients():
    async def load(_: OnProgress | None) -> None:
        raise RuntimeError("password=hunter2")

    heard: list[Exception] = []
    async with in_process(
        create_app(ApiSettings(auth="off"), open_service=Opener(load), on_fatal=heard.append)
    ) as client:
        await asyncio.sleep(0)
        answer = await client.get("/readyz")
        assert answer.json()["detail"] == "The server could not start; its log says why."
        assert "hunter2" not in answer.text
    assert [str(error) for error in heard] == ["password=hunter2"]


async def test_stopping_while_it_still_loads_ends_the_loading():
    ended = asyncio.Event()

    async def load(_: OnProgress | None) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with in_process(create_app(ApiSettings(auth="off"), open_service=Opener(load))):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_nothing_is_opened_when_the_application_is_only_made():
    opener = Opener(at_once)
    app = create_app(ApiSettings(auth="off"), open_service=opener)
    assert "/v1/threads" in app.openapi()["paths"]
    assert not opener.closed
