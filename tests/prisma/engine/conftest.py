"""The library database of `tests.support.library_database`, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.library_database import Library, postgres_library, sqlite_library
from tests.support.postgres import PostgresServer

BOTH = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql", marks=pytest.mark.service)]


@pytest.fixture(params=BOTH)
async def library(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Library]:
    """An empty database; the test runs on both providers."""
    if request.param == "sqlite":
        async with sqlite_library(tmp_path) as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = await server.create_database()
    async with postgres_library(server.url(name)) as made:
        yield made
    await server.drop_database(name)
