"""One of everything, of a clerk, in a real database under a real application, and people who ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

import api.principal
from agent.principal import Principal
from agent.schedules import Schedules
from agent.service import Agent
from agent.settings import AgentSettings
from api.app import create_app
from api.problems import Problem
from api.service import Service
from api.settings import ApiSettings
from tests.agent.conftest import data_of
from tests.agent.test_schedules import FakeTimetables
from tests.support.asgi import Client, Heard, in_process
from tests.support.desk_tools import Desk, desk_tools
from tests.support.people import person
from tests.support.scripted_model import ScriptedModel, asks, says
from tools import stored
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma


@dataclass
class World:
    """What there is. `ids` are the owner's, by the name of the path's parameter; `marks` must not be seen by others."""

    app: FastAPI
    client: Client
    people: dict[str, Principal]
    ids: dict[str, str] = field(default_factory=dict[str, str])
    digest: str = ""

    @property
    def marks(self) -> set[str]:
        return {one for name, one in self.ids.items() if name != "model_id"} | {"owner-run-done"}

    async def ask(self, who: str | None, method: str, path: str, **request: Any) -> httpx.Response:
        """As one of `people`; as nobody with None."""
        headers = {**request.pop("headers", {}), **({} if who is None else {"x-test-person": who})}
        return await self.client.request(method, path, headers=headers, **request)

    async def talk(self, who: str | None, path: str, *says: dict[str, Any]) -> Heard:
        """On a WebSocket, as one of `people`; as nobody with None."""
        return await self.client.websocket(path, *says, headers={} if who is None else {"x-test-person": who})


@asynccontextmanager
async def a_world(db: Prisma, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[World]:
    """One of everything."""
    people = {
        "owner": await person(db, "owner", "clerk"),
        "other": await person(db, "other", "clerk"),
        "viewer": await person(db, "viewer", "viewer"),
        "approver": await person(db, "approver", "approver"),
        "admin": await person(db, "admin", "admin"),
        "stranger": await person(db, "stranger", "admin", tenant="globex"),
    }

    async def authenticate(connection: HTTPConnection) -> Principal:
        who = connection.headers.get("x-test-person")
        if who is None:
            raise Problem(401, "not_authenticated", "Sign in.", headers={"WWW-Authenticate": "Bearer"})
        return people[who]

    monkeypatch.setattr(api.principal, "authenticate", authenticate)
    desk = Desk()
    model = ScriptedModel([asks(("pay", {"customer": "cus_acme"})), *[says("Done.")] * 20])
    agent = Agent.create(
        AgentSettings(), db=db, backend=model, invoices=cast("Any", None), tools=desk_tools(desk, timeout=5.0)
    )
    kept = FakeTimetables()
    agent.schedules = Schedules(db, lambda: kept, utc_now)
    await agent.start()

    @asynccontextmanager
    async def opened(settings: ApiSettings, /, **_: Any) -> AsyncGenerator[Service]:
        yield Service(db, agent, "scripted")

    app = create_app(ApiSettings(), open_service=opened)
    try:
        async with in_process(app) as client:
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110  it is asked, as a client would
                await asyncio.sleep(0)
            world = World(app, client, people)
            await _fill(world, db, agent)
            yield world
    finally:
        await agent.stop(grace=0.0)


async def _fill(world: World, db: Prisma, agent: Agent) -> None:
    owner = world.people["owner"]
    waits, done = [
        await db.thread.create(data={"tenant_id": "default", "user_id": owner.user_id, "title": "t"}) for _ in range(2)
    ]
    waiting = await agent.submit(thread_id=waits.id, input="Pay cus_acme.", principal=owner)
    await agent.wait(waiting)
    [asked] = data_of([event async for event in agent.events(waiting)], "approval.required")
    finished = await agent.submit(thread_id=done.id, input="owner-run-done", principal=owner)
    await agent.wait(finished)
    effect = await db.effect.create(
        data={
            "run_id": finished,
            "call_id": "call_x",
            "tool": "pay",
            "effect": "money",
            "arguments": {"customer": "cus_acme"},
            "arguments_digest": "0",
            "idempotency_key": "x",
            "status": "needs_reconcile",
        }
    )
    document = await stored.store_document(
        db, "default", name="a.txt", media_type="text/plain", content=b"a", user_id=owner.user_id
    )
    soon = utc_now() + timedelta(days=1)
    key = await db.apikey.create(
        data={
            "user_id": str(owner.user_id),
            "name": "k",
            "hint": "dck_",
            "hash": "h",
            "scopes": ["read"],
            "expires_at": soon,
        }
    )
    session = await db.authsession.create(data={"user_id": str(owner.user_id), "client": "c", "expires_at": soon})
    await agent.schedules.add("owners-schedule", cron="0 8 * * 1", input="Which?", principal=owner)
    world.ids = {
        "thread_id": done.id,
        "run_id": finished,
        "waiting": waiting,
        "approval_id": asked["approval_id"],
        "effect_id": effect.id,
        "document_id": document.id,
        "name": "owners-schedule",
        "key_id": key.id,
        "model_id": "scripted",
        "session_id": session.id,
    }
    world.digest = asked["digest"]
