"""`GET /v1/audit`: what was decided, for admins, in pages, by action, subject, verdict and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from agent.principal import Principal, Role
from api.app import create_app
from api.principal import get_principal
from api.service import Service
from api.settings import ApiSettings
from tests.support.asgi import in_process

if TYPE_CHECKING:
    from prisma import Prisma

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
RUN = "run_a"


@pytest_asyncio.fixture
async def app(database: Prisma) -> FastAPI:
    """Five entries of ours, a minute apart, and one of another company."""
    await database.tenant.create(data={"id": "globex", "name": "Globex"})
    entries: list[tuple[str, str, str, str]] = [
        ("default", "guard.input", RUN, "allow"),
        ("default", "policy", f"{RUN}:call_1_1", "ask"),
        ("default", "approval.decide", f"{RUN}:call_1_1", "approved"),
        ("default", "policy", f"{RUN}:call_2_1", "refuse"),
        ("default", "policy", "run_ab:call_1_1", "allow"),
        ("globex", "policy", "run_g:call_1_1", "refuse"),
    ]
    for minute, (tenant, action, subject, verdict) in enumerate(entries):
        await database.auditentry.create(
            data={
                "tenant_id": tenant,
                "at": NOON + timedelta(minutes=minute),
                "actor": "local",
                "action": action,
                "subject": subject,
                "verdict": verdict,
                "details": {"rule": "a"},
            }
        )

    @asynccontextmanager
    async def opened(settings: ApiSettings, /, **_: Any) -> AsyncGenerator[Service]:
        yield Service(database, cast("Any", SimpleNamespace(ready=True)), "scripted")

    return create_app(ApiSettings(), open_service=opened)


def signed_in(app: FastAPI, *roles: Role, tenant: str = "default") -> None:
    async def who() -> Principal:
        return Principal(tenant, None, frozenset(roles))

    app.dependency_overrides[get_principal] = who


@asynccontextmanager
async def ready(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """A client, once the service behind the server is open: it answers before."""
    async with in_process(app) as client, asyncio.timeout(10):
        while (await client.get("/v1/audit")).status_code == 503:  # noqa: ASYNC110  it is asked, as a client would
            await asyncio.sleep(0)
        yield client


async def listed(client: httpx.AsyncClient, **params: Any) -> list[tuple[str, str]]:
    answer = await client.get("/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    return [(entry["action"], entry["subject"]) for entry in answer.json()["data"]]


@pytest.mark.parametrize("roles", [("viewer",), ("clerk",), ("approver",), ("viewer", "clerk", "approver"), ()])
async def test_nobody_else_may_read_it(app: FastAPI, roles: tuple[Role, ...]):
    signed_in(app, *roles)
    async with ready(app) as client:
        answer = await client.get("/v1/audit")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_an_admin_reads_his_companys_newest_first(app: FastAPI):
    signed_in(app, "admin")
    async with ready(app) as client:
        found = await listed(client)
        answer = (await client.get("/v1/audit", params={"limit": 1})).json()
    assert found[0] == ("policy", "run_ab:call_1_1")
    assert found[-1] == ("guard.input", RUN)
    assert len(found) == 5
    assert set(answer["data"][0]) == {"id", "at", "actor", "action", "subject", "verdict", "details"}


async def test_it_can_be_searched(app: FastAPI):
    signed_in(app, "admin")
    async with ready(app) as client:
        assert len(await listed(client, action="policy")) == 3
        assert await listed(client, action="policy", verdict="refuse") == [("policy", f"{RUN}:call_2_1")]
        assert len(await listed(client, subject=RUN)) == 4
        assert len(await listed(client, subject=f"{RUN}:call_1_1")) == 2
        between = {"since": "2026-11-25T12:01:00Z", "until": "2026-11-25T12:03:00Z"}
        assert [action for action, _ in await listed(client, **between)] == ["approval.decide", "policy"]


async def test_it_comes_in_pages_that_leave_nothing_out(app: FastAPI):
    signed_in(app, "admin")
    async with ready(app) as client:
        seen: list[str] = []
        after: dict[str, Any] = {}
        while len(seen) < 5:
            page = (await client.get("/v1/audit", params={"limit": 2, **after})).json()
            seen += [entry["id"] for entry in page["data"]]
            after = {"after": page["next"]}
    assert len(set(seen)) == 5
    assert after == {"after": None}


async def test_it_is_described(app: FastAPI):
    described = app.openapi()["paths"]["/v1/audit"]["get"]
    assert {parameter["name"] for parameter in described["parameters"]} == {
        "action",
        "subject",
        "verdict",
        "since",
        "until",
        "limit",
        "after",
    }
    assert "403" in described["responses"]
