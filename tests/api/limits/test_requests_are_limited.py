"""Too many requests of a user, with a key or from an address: 429, and when to come back. Others are not touched."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

import api.principal
from agent.principal import Principal
from api.app import create_app
from api.limits.settings import LimitSettings
from api.problems import Problem
from api.service import Service
from api.settings import ApiSettings
from tests.support.asgi import in_process

if TYPE_CHECKING:
    from prisma import Prisma

NONE: dict[str, Any] = {"mode": "on", "user": "", "key": "", "address": ""}


def app_with(database: Prisma, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> FastAPI:
    """Whoever asks names themselves: `X-User`, `X-Key`, `X-Role`."""

    async def authenticate(connection: HTTPConnection) -> Principal:
        user = connection.headers.get("x-user")
        if user is None:
            raise Problem(401, "not_authenticated", "Sign in.")
        roles = frozenset({cast("Any", connection.headers.get("x-role", "clerk"))})
        return Principal("default", user, roles, key_id=connection.headers.get("x-key"))

    @asynccontextmanager
    async def opened(settings: ApiSettings, /, **_: Any) -> AsyncGenerator[Service]:
        yield Service(database, cast("Any", SimpleNamespace(ready=True)), "scripted")

    monkeypatch.setattr(api.principal, "authenticate", authenticate)
    return create_app(ApiSettings(), open_service=opened, limits=LimitSettings(**{**NONE, **limits}))


@asynccontextmanager
async def ready(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """A client, once the service behind the server is open."""
    async with in_process(app) as client:
        while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110  it is asked, as a client would
            await asyncio.sleep(0)
        yield client


async def me(client: httpx.AsyncClient, user: str | None = "ann", **headers: str) -> httpx.Response:
    named = {f"x-{name}": value for name, value in headers.items()}
    return await client.get("/v1/me", headers=named if user is None else {"x-user": user, **named})


async def test_a_user_who_asks_too_often_is_told_when_to_come_back(database: Prisma, monkeypatch: pytest.MonkeyPatch):
    async with ready(app_with(database, monkeypatch, user="3/minute")) as client:
        answers = [await me(client) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-policy"] == '"user-60s";q=3;w=60'
        assert re.fullmatch(r'"user-60s";r=0;t=\d+', refused.headers["ratelimit"])
        assert answers[0].headers["ratelimit"].startswith('"user-60s";r=2;t=')
        assert (await me(client, "bob")).status_code == 200


async def test_a_key_is_limited_by_itself_within_its_user(database: Prisma, monkeypatch: pytest.MonkeyPatch):
    async with ready(app_with(database, monkeypatch, user="10/minute", key="2/minute")) as client:
        assert [(await me(client, key="k1")).status_code for _ in range(3)] == [200, 200, 429]
        answer = await me(client, key="k2")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"user-60s";q=10;w=60, "key-60s";q=2;w=60'
        assert (await me(client)).status_code == 200


async def test_an_address_is_limited_before_anybody_is_known(database: Prisma, monkeypatch: pytest.MonkeyPatch):
    async with ready(app_with(database, monkeypatch, address="2/minute")) as client:
        assert [(await me(client, None)).status_code for _ in range(3)] == [401, 401, 429]
        assert (await me(client)).status_code == 429
        assert (await client.get("/nowhere")).status_code == 429
        assert (await client.get("/healthz")).status_code == 200  # a probe must never be refused
        assert "ratelimit" not in (await client.get("/healthz")).headers


async def test_the_most_generous_of_somebodys_roles_counts(database: Prisma, monkeypatch: pytest.MonkeyPatch):
    by_role = {"admin": {"user": "4/minute"}, "viewer": {"user": "1/minute"}}
    async with ready(app_with(database, monkeypatch, user="2/minute", by_role=by_role)) as client:
        for role, allowed in {"viewer": 1, "clerk": 2, "admin": 4}.items():
            answers = [(await me(client, role, role=role)).status_code for _ in range(5)]
            assert answers == [200] * allowed + [429] * (5 - allowed)


async def test_without_sign_in_nothing_is_limited_unless_it_is_wanted(
    database: Prisma, monkeypatch: pytest.MonkeyPatch
):
    async with ready(app_with(database, monkeypatch, mode="auto", address="1/minute")) as client:
        answers = [await me(client) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


def test_a_limit_that_cannot_be_read_is_refused_at_the_start():
    with pytest.raises(ValueError, match="user"):
        LimitSettings(user="many")
