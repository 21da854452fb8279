"""`GET /v1/usage`: what runs cost, by day, model and user; one's own for everybody, the company's for admins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from fastapi import FastAPI

from agent.principal import Principal, Role
from api.app import create_app
from api.principal import get_principal
from api.service import Service
from api.settings import ApiSettings
from api.usage import sum_up
from tests.support.asgi import in_process

if TYPE_CHECKING:
    from prisma import Prisma

PERIOD = {"from": "2026-11-01", "to": "2026-12-01T00:00:00"}
RUNS: list[tuple[str, str, str, str, int, int, int | None, int, int]] = [
    # tenant, user, model, when, tokens in, out, first token ms, generation ms, queue ms
    ("default", "ann", "small", "2026-11-24T23:59:59.999", 100, 10, 50, 1000, 0),
    ("default", "ann", "large", "2026-11-25T00:00:00", 200, 40, 150, 3000, 900),
    ("default", "bob", "small", "2026-11-25T12:00:00", 300, 0, None, 0, 0),
    ("default", "ann", "small", "2026-10-31T23:59:59", 7, 7, 7, 7, 7),
    ("globex", "gus", "small", "2026-11-25T12:00:00", 5000, 5000, 5, 5000, 0),
]


async def fill(db: Prisma) -> None:
    for tenant in ("default", "globex"):
        create: Any = {"id": tenant, "name": tenant}
        await db.tenant.upsert(where={"id": tenant}, data={"create": create, "update": {}})
        await db.thread.create(data={"id": f"t_{tenant}", "tenant_id": tenant})
    for user, tenant in (("ann", "default"), ("bob", "default"), ("gus", "globex")):
        await db.user.create(data={"id": user, "tenant_id": tenant, "name": user})
    for tenant, user, model, at, tokens_in, tokens_out, first, generation, queue in RUNS:
        await db.run.create(
            data={
                "tenant_id": tenant,
                "thread_id": f"t_{tenant}",
                "user_id": user,
                "status": "succeeded" if tokens_out else "failed",
                "input": "",
                "model": model,
                "created_at": datetime.fromisoformat(at).replace(tzinfo=UTC),
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                "first_token_ms": first,
                "generation_ms": generation,
                "queue_ms": queue,
                "steps": 1,
            }
        )


def app_over(database: Prisma, user: str | None, *roles: Role) -> FastAPI:
    @asynccontextmanager
    async def opened(settings: ApiSettings, /, **_: Any) -> AsyncGenerator[Service]:
        yield Service(database, cast("Any", SimpleNamespace(ready=True)), "scripted")

    app = create_app(ApiSettings(), open_service=opened)
    app.dependency_overrides[get_principal] = lambda: Principal("default", user, frozenset(roles))
    return app


async def ask(app: FastAPI, **params: str) -> httpx.Response:
    async with in_process(app) as http:
        await asyncio.sleep(0)  # the service opens beside us
        return await http.get("/v1/usage", params={**PERIOD, **params})


async def test_an_admin_sees_the_company_by_day_with_what_the_model_took(database: Prisma):
    await fill(database)
    report = (await ask(app_over(database, None, "admin"))).json()
    assert (report["from"], report["to"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert [(day["key"], day["runs"], day["succeeded"], day["failed"]) for day in report["data"]] == [
        ("2026-11-24", 1, 1, 0),
        ("2026-11-25", 2, 1, 1),
    ]
    assert report["data"][1] == {
        "key": "2026-11-25",
        "runs": 2,
        "succeeded": 1,
        "failed": 1,
        "cancelled": 0,
        "model_calls": 2,
        "input_tokens": 500,
        "output_tokens": 40,
        "tokens_per_second": 13.33,
        "mean_first_token_ms": 150.0,
        "longest_first_token_ms": 150,
        "mean_queue_ms": 450.0,
        "longest_queue_ms": 900,
    }


async def test_groups_come_in_parts_in_the_order_of_their_keys(database: Prisma):
    await fill(database)
    app = app_over(database, None, "admin")
    first = (await ask(app, group_by="model", limit="1")).json()
    assert ([group["key"] for group in first["data"]], first["next"]) == (["large"], "large")
    second = (await ask(app, group_by="model", limit="1", after=first["next"])).json()
    assert ([group["key"] for group in second["data"]], second["next"]) == (["small"], None)
    users = (await ask(app, group_by="user")).json()["data"]
    assert [(group["key"], group["input_tokens"]) for group in users] == [("ann", 300), ("bob", 300)]


async def test_everybody_else_sees_their_own_and_no_other(database: Prisma):
    await fill(database)
    app = app_over(database, "bob", "clerk")
    assert [day["input_tokens"] for day in (await ask(app)).json()["data"]] == [300]
    refused = await ask(app, group_by="user")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await ask(app_over(database, None, "clerk"))).status_code == 403


@pytest.mark.parametrize("period", [{"from": "2026-12-02"}, {"from": "2025-11-01"}, {"to": "2026-11-01"}])
async def test_a_period_that_is_none_or_too_long_is_refused(database: Prisma, period: dict[str, str]):
    answer = await ask(app_over(database, None, "admin"), **period)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_period")


@pytest.mark.service
async def test_on_postgresql_it_adds_up_to_the_same(database: Prisma, postgres_url: str):
    from prisma import Prisma
    from prisma.migrate.apply import migrate

    await migrate(postgres_url)
    span: dict[str, Any] = {
        "since": datetime(2026, 11, 1, tzinfo=UTC),
        "until": datetime(2026, 12, 1, tzinfo=UTC),
        "after": None,
        "limit": 10,
        "tenant_id": "default",
    }
    async with Prisma(postgres_url) as other:
        for db in (database, other):
            await fill(db)
        for group_by in ("day", "model", "user"):
            for user_id in (None, "ann"):
                ours = await sum_up(database, **span, group_by=group_by, user_id=user_id)
                assert ours
                assert ours == await sum_up(other, **span, group_by=group_by, user_id=user_id)
