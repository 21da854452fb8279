from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from prisma.migrate.history import read_migrations
from prisma.migrate.statements import postgres_statements, sqlite_statements
from prisma.migrate.urls import PROVIDERS, Provider

Splitter = Callable[[str], Iterator[str]]
SPLITTERS: dict[str, Splitter] = {"sqlite": sqlite_statements, "postgresql": postgres_statements}


@pytest.mark.parametrize("split", SPLITTERS.values(), ids=SPLITTERS)
class TestBoth:
    def test_a_semicolon_in_a_string_an_identifier_or_a_comment_ends_nothing(self, split: Splitter):
        sql = """-- a; b\nSELECT ';''x;', "a;b" /* ; */ ; SELECT 2"""
        assert list(split(sql)) == ["""-- a; b\nSELECT ';''x;', "a;b" /* ; */ ;""", "SELECT 2"]

    def test_the_files_own_begin_and_commit_are_left_out(self, split: Splitter):
        assert list(split("BEGIN;\nSELECT 1;\n-- done\nCOMMIT;")) == ["SELECT 1;"]
        assert list(split("BEGIN TRANSACTION; SELECT 1; END")) == ["SELECT 1;"]

    def test_a_file_of_comments_has_no_statement(self, split: Splitter):
        assert list(split("-- This is an empty migration.\n/* none */\n;;")) == []


def test_a_dollar_quoted_body_is_one_statement():
    body = "CREATE FUNCTION f() RETURNS int AS $fn$ BEGIN; RETURN $$;$$; END $fn$ LANGUAGE plpgsql;"
    assert list(postgres_statements(f"{body} SELECT $1;")) == [body, "SELECT $1;"]


def test_a_nested_comment_and_an_escape_string_end_nothing():
    sql = r"SELECT 1 /* a /* ; */ ; */, E'it\'s;' ; SELECT 2;"
    assert list(postgres_statements(sql)) == [r"SELECT 1 /* a /* ; */ ; */, E'it\'s;' ;", "SELECT 2;"]


def test_a_sqlite_trigger_is_one_statement():
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET x = 1; DELETE FROM b; END;"
    assert list(sqlite_statements(f"{trigger}\nSELECT 2;")) == [trigger, "SELECT 2;"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_committed_migration_is_cut_at_the_ends_of_its_lines_and_nothing_is_lost(provider: Provider):
    """Prisma ends each statement with a semicolon and a line break, and puts neither anywhere else together."""
    for migration in read_migrations(provider):
        statements = list(SPLITTERS[provider](migration.sql))
        assert len(statements) == migration.sql.count(";\n")
        assert "".join("\n".join(statements).split()) == "".join(migration.sql.split())
