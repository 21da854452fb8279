"""Fixtures of the client's tests: a migrated SQLite file for each."""

from tests.support.database import database, database_template, database_url

__all__ = ["database", "database_template", "database_url"]
