"""A small company in a database, and a server over it whose model says what a script tells it to."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.server_process import Server, run_server

if TYPE_CHECKING:
    from prisma import Prisma

INVOICES = 12  # issued and unpaid, INV-2026-0001 and so on
TOTAL_MINOR = 119_00


def _pay(number: str) -> dict[str, Any]:
    call = {"tool": "take_payment", "arguments": {"invoice": number}}
    return {"when": f"pay {number}", "calls": [call], "always": True}


NUMBERS = [f"INV-2026-{position:04}" for position in range(1, INVOICES + 1)]
SCRIPT = {
    "native_tools": True,
    "answers": [
        {"when": "hello", "text": "Hello, how can I help you \u2028 today?", "always": True},
        {
            "when": "slowly on",
            "text": "one two three four five six seven",
            "delay_seconds": 0.3,
            "always": True,
        },
        {"when": "slowly", "text": "one two three four five six", "delay_seconds": 0.1, "always": True},
        {"when": "forever", "text": "tick " * 600, "delay_seconds": 0.1, "always": True},
        {"when": "break", "text": "It was g", "error": "stream_broken", "message": "It went away.", "always": True},
        {"when": "look up", "calls": [{"tool": "find_customer", "arguments": {"query": "ACME"}}], "always": True},
        *map(_pay, NUMBERS),
        {"text": "Done.", "always": True},
    ],
}


async def fill(db: Prisma) -> None:
    """One customer with unpaid invoices."""
    await db.customer.create(
        data={
            "id": "cus_acme",
            "tenant_id": "default",
            "name": "ACME Corp",
            "email": "orders@acme.example",
            "country": "DE",
            "currency": "EUR",
            "credit_limit_minor": 1_000_000,
        }
    )
    now = datetime.now(UTC)
    for number in NUMBERS:
        await db.invoice.create(
            data={
                "id": f"inv_{number[-4:]}",
                "tenant_id": "default",
                "customer_id": "cus_acme",
                "number": number,
                "status": "issued",
                "currency": "EUR",
                "net_minor": TOTAL_MINOR,
                "tax_minor": 0,
                "total_minor": TOTAL_MINOR,
                "due_on": now + timedelta(days=30),
                "issued_at": now,
            }
        )


@pytest.fixture(scope="module")
def company_url(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with the small company in it."""
    from prisma import Prisma

    path = tmp_path_factory.mktemp("company") / "desk.db"
    shutil.copyfile(database_template, path)

    async def make() -> None:
        async with Prisma(f"file:{path}") as db:
            await fill(db)

    asyncio.run(make())
    return f"file:{path}"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "script.json"
    path.write_text(json.dumps(SCRIPT))
    return path


SECRETS = {"OPENAI_API_KEY": "sk-secret-0001", "STRIPE_API_KEY": "sk_live_secret_0002"}


@pytest.fixture(scope="module")
def server(company_url: str, script: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A real server over the small company."""
    settings = {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": company_url, **SECRETS}
    with run_server(settings, folder=tmp_path_factory.mktemp("cwd")) as server:
        yield server


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server that notices when a secret leaves it."""
    seen: list[httpx.Response] = []

    async def remember(response: httpx.Response) -> None:
        seen.append(response)

    async with httpx.AsyncClient(base_url=server.url, timeout=60, event_hooks={"response": [remember]}) as client:
        yield client
    for response in seen:
        with suppress(httpx.ResponseNotRead):  # read piece by piece by its test
            assert not any(secret in response.text for secret in SECRETS.values()), response.url
