from __future__ import annotations

from pathlib import Path

import pytest

from prisma.migrate.errors import UnsupportedUrl
from prisma.migrate.urls import PostgresTarget, SqliteTarget, parse_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:./x.db", Path.cwd() / "x.db"),
        ("file:x.db", Path.cwd() / "x.db"),
        ("file:/abs/x.db", Path("/abs/x.db")),
        ("file:///abs/x.db", Path("/abs/x.db")),
        ("file:./x.db?connection_limit=1", Path.cwd() / "x.db"),
        ("file:/with%20space/x.db", Path("/with space/x.db")),
    ],
)
def test_a_file_url_names_a_sqlite_file(url: str, path: Path):
    assert parse_url(url) == SqliteTarget(path)


def test_a_postgresql_url_loses_what_only_prisma_understands():
    target = parse_url("postgresql://u:p@h:5432/d?schema=books&connection_limit=5&sslmode=require")
    assert target == PostgresTarget("postgresql://u:p@h:5432/d?sslmode=require", "books")


def test_a_unix_socket_survives():
    target = parse_url("postgresql://postgres@/d?host=%2Ftmp%2Fpg")
    assert target == PostgresTarget("postgresql://postgres@/d?host=/tmp/pg", "public")


def test_an_unknown_scheme_is_refused_without_showing_the_password():
    with pytest.raises(UnsupportedUrl, match=r"'mysql://root:\*\*\*@h/d' is neither") as caught:
        parse_url("mysql://root:secret@h/d")
    assert "secret" not in str(caught.value)


def test_a_postgresql_target_prints_without_its_password():
    assert str(parse_url("postgresql://u:secret@h/d")) == "postgresql://u:***@h/d"
