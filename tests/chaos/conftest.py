"""Servers that are started quickly, over a database of each kind that keeps what it has committed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.chaos.nursery import Nursery
from tests.support.chaos.rounds import Trial, trial
from tests.support.postgres import PostgresServer

OpenTrial = Callable[..., AbstractAsyncContextManager[Trial]]


@pytest.fixture(scope="session")
def keeping_postgres() -> Generator[PostgresServer]:
    """A PostgreSQL that loses nothing when it is killed."""
    root = Path(tempfile.mkdtemp(prefix="pg"))
    server = PostgresServer(root, synchronous_commit="on")
    yield server
    server.close()
    shutil.rmtree(root, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nursery() -> AsyncGenerator[Nursery]:
    async with Nursery() as nursery:
        yield nursery


@pytest.fixture
def on_sqlite(nursery: Nursery, tmp_path: Path) -> OpenTrial:
    """Opens a trial on a SQLite file."""

    def open_trial(**options: Any) -> AbstractAsyncContextManager[Trial]:
        return trial(f"file:{tmp_path}/desk.db", tmp_path, nursery, **options)

    return open_trial


@pytest_asyncio.fixture(loop_scope="session")
async def on_postgres(nursery: Nursery, keeping_postgres: PostgresServer, tmp_path: Path) -> AsyncGenerator[OpenTrial]:
    """Opens a trial of two servers on a PostgreSQL database."""
    name = await keeping_postgres.create_database()
    url = keeping_postgres.url(name)

    def open_trial(**options: Any) -> AbstractAsyncContextManager[Trial]:
        return trial(url, tmp_path, nursery, replicas=2, **options)

    yield open_trial
    await keeping_postgres.drop_database(name)
