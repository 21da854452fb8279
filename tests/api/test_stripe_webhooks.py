"""The address that Stripe calls: what is not signed is refused, what is known is answered 200."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from agent.llm.base import OnProgress
from api.app import create_app
from api.service import Service
from api.settings import ApiSettings
from prisma import Prisma
from tests.support.asgi import in_process
from tests.support.stripe_events import SECRET, event, signed

READY_SECONDS = 30.0
PATH = "/v1/webhooks/stripe"
BODY = event("invoice.voided", {"id": "in_1", "status": "void"}, event_id="evt_1")


@asynccontextmanager
async def client_of(db: Prisma, **settings: Any) -> AsyncGenerator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened(_: ApiSettings, *, on_progress: OnProgress | None = None) -> AsyncGenerator[Service]:
        yield Service(db=db, agent=cast("Any", SimpleNamespace(ready=True)), model="none")

    async with in_process(create_app(ApiSettings(**settings), open_service=opened)) as client:
        async with asyncio.timeout(READY_SECONDS):
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - what is awaited is in the app
                await asyncio.sleep(0.01)
        yield client


@pytest.fixture
async def client(database: Prisma) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database, stripe_webhook_secret=SECRET) as opened:
        yield opened


async def tell(client: httpx.AsyncClient, body: bytes, header: str) -> httpx.Response:
    return await client.post(PATH, content=body, headers={"Stripe-Signature": header})


async def test_a_signed_event_is_applied_and_its_repetition_is_answered_200(
    database: Prisma, client: httpx.AsyncClient
):
    await issue(database)
    header = signed(BODY, datetime.now(UTC), SECRET)
    answers = [await tell(client, BODY, header) for _ in range(2)]
    assert [(answer.status_code, answer.json()["outcome"]) for answer in answers] == [
        (200, "applied"),
        (200, "replayed"),
    ]
    assert (await database.invoice.find_first_or_raise()).status == "void"
    assert await database.inboundevent.count() == 1


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "has no time"),
        (signed(BODY, datetime.now(UTC), "whsec_other"), "not of this body"),
        (signed(BODY, datetime.now(UTC) - timedelta(hours=1), SECRET), "not of the last 300 seconds"),
    ],
)
async def test_what_is_not_signed_so_changes_nothing(
    header: str, words: str, database: Prisma, client: httpx.AsyncClient
):
    await issue(database)
    answer = await tell(client, BODY, header)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_signature_invalid")
    assert words in answer.json()["detail"]
    assert (await database.invoice.find_first_or_raise()).status == "issued"
    assert await database.inboundevent.count() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": "evt_1", "type": "x"}', b"\xff"])
async def test_a_signed_body_that_is_no_event_is_refused(body: bytes, client: httpx.AsyncClient):
    answer = await tell(client, body, signed(body, datetime.now(UTC), SECRET))
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_malformed")


async def test_without_a_secret_there_is_no_such_address(database: Prisma):
    async with client_of(database) as client:
        answer = await tell(client, BODY, signed(BODY, datetime.now(UTC), ""))
    assert (answer.status_code, answer.json()["code"]) == (404, "webhook_not_configured")


async def issue(db: Prisma) -> None:
    """An issued invoice that Stripe knows as `in_1`."""
    now = datetime.now(UTC)
    await db.customer.create(
        data={
            "id": "cus_1",
            "tenant_id": "default",
            "name": "ACME",
            "email": "a@acme.example",
            "country": "DE",
            "currency": "EUR",
            "credit_limit_minor": 0,
        }
    )
    await db.invoice.create(
        data={
            "id": "inv_1",
            "tenant_id": "default",
            "customer_id": "cus_1",
            "number": "A0000001-0001",
            "status": "issued",
            "currency": "EUR",
            "net_minor": 100,
            "tax_minor": 0,
            "total_minor": 100,
            "due_on": now,
            "issued_at": now,
            "external_id": "in_1",
        }
    )
