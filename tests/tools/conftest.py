"""A seeded company, a call's context over it, and a way to put a document in."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from prisma import Prisma
from prisma.migrate import migrate
from tests.support.tool_calls import NextCall, Upload
from tools.context import ToolContext
from tools.invoicing import Ledger
from tools.samples import ORDERS
from tools.seed import TENANT, seed
from tools.stored import store_document
from tools.values import Document, Ref

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def company_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the demo company in it, as of `NOW`."""
    path = tmp_path_factory.mktemp("company") / "template.db"

    async def make() -> None:
        await migrate(f"file:{path}")
        async with Prisma(f"file:{path}") as db:
            await seed(db, now=NOW)
            await db.execute_raw("PRAGMA wal_checkpoint(TRUNCATE)")

    asyncio.run(make())
    return path


@pytest.fixture
def company_url(company_template: Path, tmp_path: Path) -> str:
    shutil.copyfile(company_template, tmp_path / "company.db")
    return f"file:{tmp_path / 'company.db'}"


@pytest_asyncio.fixture
async def db(company_url: str) -> AsyncGenerator[Prisma]:
    async with Prisma(company_url) as client:
        yield client


@pytest.fixture
def ctx(db: Prisma) -> ToolContext:
    return ToolContext(
        db=db,
        tenant_id=TENANT,
        run_id="run_1",
        call_id="call_0",
        idempotency_key="key-0",
        invoices=Ledger(),
        now=lambda: NOW,
    )


@pytest.fixture
def next_call(ctx: ToolContext) -> NextCall:
    """A context of a further call each time: its own call id and idempotency key."""
    count = itertools.count(1)

    def make() -> ToolContext:
        number = next(count)
        return replace(ctx, call_id=f"call_{number}", idempotency_key=f"key-{number}")

    return make


@pytest.fixture
def upload(db: Prisma) -> Upload:
    """`await upload("acme-po-7001.pdf")`: a sample, or `content` under that name."""

    async def put(name: str, content: bytes | None = None, media_type: str = "") -> Ref[Document]:
        data = (ORDERS / name).read_bytes() if content is None else content
        row = await store_document(db, TENANT, name=name, media_type=media_type, content=data)
        return Ref(row.id)

    return put
