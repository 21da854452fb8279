"""A server in this process that people must sign in to, over a real database; and the people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
from fastapi import FastAPI

from agent.llm.base import OnProgress
from agent.principal import Role
from api.app import create_app
from api.auth.passwords import hash_password
from api.auth.settings import AuthSettings
from api.auth.users import add_user
from api.service import Service
from api.settings import ApiSettings
from tests.support.asgi import in_process

if TYPE_CHECKING:
    from prisma import Prisma

PASSWORD = "correct horse battery"


@dataclass
class Desk:
    """A running application and its database."""

    app: FastAPI
    db: Prisma
    http: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict[str, str])

    async def add(self, name: str, *roles: Role, tenant_id: str = "default", password: bool = True) -> str:
        """A user's id."""
        hashed = hash_password(PASSWORD, user_name=name) if password else None
        user = await add_user(
            self.db, name, roles=roles or ("clerk",), password_hash=hashed, email=None, tenant_id=tenant_id
        )
        self.ids[name] = user.id
        return user.id

    async def token(self, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        form = {"grant_type": "password", "username": name, "password": password, **fields}
        return await self.http.post("/v1/auth/token", data=form)

    async def sign_in(self, name: str, **fields: str) -> dict[str, Any]:
        answer = await self.token(name, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def bearer(self, name: str, **fields: str) -> dict[str, str]:
        """The header of somebody who has signed in."""
        return bearer((await self.sign_in(name, **fields))["access_token"])

    async def refresh(self, token: str) -> httpx.Response:
        return await self.http.post("/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})

    async def key(self, name: str, *scopes: str) -> dict[str, Any]:
        answer = await self.http.post(
            "/v1/auth/keys", json={"name": "for tests", "scopes": list(scopes)}, headers=await self.bearer(name)
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def me(self, headers: Mapping[str, str]) -> httpx.Response:
        return await self.http.get("/v1/me", headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and stable code of a refusal."""
    return answer.status_code, str(answer.json()["code"])


@asynccontextmanager
async def open_desk(
    db: Prisma, settings: ApiSettings | None = None, auth: AuthSettings | None = None
) -> AsyncGenerator[Desk]:
    """An application over `db`, without a model."""

    @asynccontextmanager
    async def open_service(_: ApiSettings, *, on_progress: OnProgress | None = None) -> AsyncGenerator[Service]:
        yield Service(db=db, agent=cast("Any", SimpleNamespace(ready=True)), model="none")

    app = create_app(settings or ApiSettings(), auth=auth or AuthSettings(), open_service=open_service)
    async with in_process(app) as client:
        while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - as a client would
            await asyncio.sleep(0.002)
        yield Desk(app, db, client)
