"""A migrated database of its own for each test: made once a session, then copied."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from prisma import Prisma


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every migration applied and the tenant `default`."""
    from prisma import Prisma
    from prisma.migrate.apply import migrate

    path = tmp_path_factory.mktemp("database") / "template.db"
    url = f"file:{path}"

    async def make() -> None:
        await migrate(url)
        async with Prisma(url) as db:
            await db.tenant.create(data={"id": "default", "name": "Demo company"})
            await db.execute_raw("PRAGMA wal_checkpoint(TRUNCATE)")

    asyncio.run(make())
    return path


@pytest.fixture
def database_url(database_template: Path, tmp_path: Path) -> str:
    """A fresh copy of the migrated database."""
    path = tmp_path / "desk.db"
    shutil.copyfile(database_template, path)
    return f"file:{path}"


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncGenerator[Prisma]:
    """A connected client on a fresh, migrated SQLite file with the tenant `default`."""
    from prisma import Prisma

    async with Prisma(database_url) as db:
        yield db
