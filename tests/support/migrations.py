"""A folder of migrations to write into, and a SQLite file to look into."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prisma.migrate.urls import PROVIDERS


@dataclass
class Migrations:
    folder: Path

    def write(self, name: str, sql: str) -> None:
        for provider in PROVIDERS:
            file = self.folder / provider / name / "migration.sql"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(sql)

    def remove(self, name: str) -> None:
        for provider in PROVIDERS:
            (self.folder / provider / name / "migration.sql").unlink()


@dataclass
class SqliteFile:
    path: Path

    @property
    def url(self) -> str:
        return f"file:{self.path}"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            rows = connection.execute(sql).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()

    def tables(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
