from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.migrations import Migrations, SqliteFile


@pytest.fixture
def migrations(tmp_path: Path) -> Migrations:
    """Two migrations: a table, and a second one."""
    written = Migrations(tmp_path / "migrations")
    written.write("20260101000000_first", "CREATE TABLE a (id INTEGER PRIMARY KEY);\nCREATE TABLE b (id INTEGER);")
    written.write("20260102000000_second", "CREATE TABLE c (id INTEGER);")
    return written


@pytest.fixture
def sqlite_file(tmp_path: Path) -> SqliteFile:
    return SqliteFile(tmp_path / "data" / "test.db")
