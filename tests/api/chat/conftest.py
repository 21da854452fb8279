"""The small company on one server for all tests of this folder, and what a client of OpenAI's needs to talk to it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI

from prisma import Prisma
from tests.api.conftest import NUMBERS, fill
from tests.support.server_process import Server, run_server

PAID = [f"INV-2026-{position:04}" for position in range(1, 13)]


def _calls(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"calls": [{"tool": tool, "arguments": arguments}], "always": True}


DRAFT = {"customer": "cus_acme", "lines": [{"product": "WID-1001", "quantity": "2"}]}
SCRIPT = {
    "native_tools": True,
    "answers": [
        {"when": "<chat_history>", **_calls("take_payment", invoice="INV-2026-0012")},
        {"when": "5-word-or-less", **_calls("take_payment", invoice="INV-2026-0012")},
        {"when": "no tool 'take_payment'", "text": '{ "title": "Paying an invoice" }', "always": True},
        {"when": "hello", "text": "Hello, how can I help you \u2028 today?", "always": True},
        {"when": "slowly", "text": "one two three four five six seven eight", "delay_seconds": 0.1, "always": True},
        {"when": "forever", "text": "tick " * 600, "delay_seconds": 0.1, "always": True},
        {"when": "a while", "text": "at last", "delay_seconds": 1.2, "always": True},
        {"when": "break", "text": "It was g", "error": "stream_broken", "message": "It went away.", "always": True},
        {"when": "look up", "text": "I look.", **_calls("find_customer", query="ACME")},
        {"when": "draft it", **_calls("draft_invoice", **DRAFT)},
        {"when": "as json", "text": ' {"customer": "ACME", "open": 2} ', "always": True},
        {"when": "mended json", "text": "Here you are: 2"},
        {"when": "mended json", "text": '{"customer": "ACME", "open": 2}'},
        {"when": "never json", "text": "I would rather not.", "always": True},
        *({"when": f"pay {number}", **_calls("take_payment", invoice=number)} for number in NUMBERS),
        {"text": "Done.", "always": True},
    ],
}


@pytest.fixture(scope="session")
def chat_database(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with the small company and a product in it."""
    path = tmp_path_factory.mktemp("chat") / "desk.db"
    shutil.copyfile(database_template, path)

    async def make() -> None:
        async with Prisma(f"file:{path}") as db:
            await fill(db)
            await db.product.create(
                data={
                    "tenant_id": "default",
                    "sku": "WID-1001",
                    "name": "Widget",
                    "unit_price_minor": 32_00,
                    "currency": "EUR",
                }
            )

    asyncio.run(make())
    return f"file:{path}"


@pytest.fixture(scope="session")
def chat_server(chat_database: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A real server over it. Its heartbeat is quick, so that tests see one."""
    script = tmp_path_factory.mktemp("script") / "script.json"
    script.write_text(json.dumps(SCRIPT))
    settings = {
        "DESKCLERK_LLM": f"scripted:{script}",
        "DATABASE_URL": chat_database,
        "DESKCLERK_HEARTBEAT_SECONDS": "0.5",
    }
    with run_server(settings, folder=tmp_path_factory.mktemp("cwd")) as server:
        yield server


@pytest.fixture
def client(chat_server: Server) -> Iterator[OpenAI]:
    """OpenAI's own client, pointed at us. It does not try again by itself, unless a test wants it to."""
    with OpenAI(base_url=f"{chat_server.url}/v1", api_key="unused", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
async def async_client(chat_server: Server) -> AsyncIterator[AsyncOpenAI]:
    """The same, asynchronous."""
    async with AsyncOpenAI(base_url=f"{chat_server.url}/v1", api_key="unused", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
async def chat_http(chat_server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Plain HTTP."""
    async with httpx.AsyncClient(base_url=chat_server.url, timeout=60) as client:
        yield client


@pytest.fixture
async def db(chat_database: str) -> AsyncIterator[Prisma]:
    """The server's database, to look at what became of it."""
    async with Prisma(chat_database) as db:
        yield db
