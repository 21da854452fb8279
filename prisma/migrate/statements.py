"""A migration file cut into statements, so that each can be counted, and the file's own BEGIN and COMMIT left out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

# A migration runs in a transaction of ours; a COMMIT in it (Prisma writes one around a changed enum) would end that.
_TRANSACTION_CONTROL = re.compile(
    r"(?:BEGIN|START|COMMIT|END)(?:\s+(?:TRANSACTION|WORK|DEFERRED|IMMEDIATE|EXCLUSIVE))*\s*;?", re.IGNORECASE
)

# What may hold a semicolon that ends nothing. https://www.postgresql.org/docs/16/sql-syntax-lexical.html
_POSTGRES_TOKEN = re.compile(
    r"""
    --[^\n]*                                     # comment to the end of the line
    | (?P<block>/\*)                             # comment that nests
    | \b[eE]'(?:[^'\\]|\\.|'')*'                 # string with backslash escapes
    | '(?:[^']|'')*'                             # string
    | "(?:[^"]|"")*"                             # identifier
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$     # dollar-quoted string, up to the same tag
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)


def postgres_statements(sql: str) -> Iterator[str]:
    """The statements of a PostgreSQL script, without those that only open or close a transaction."""
    start = position = 0
    while match := _POSTGRES_TOKEN.search(sql, position):
        position = match.end()
        if match["block"]:
            position = _end_of_block_comment(sql, position)
        elif match["tag"] is not None:
            closing = sql.find(f"${match['tag']}$", position)
            position = len(sql) if closing < 0 else closing + len(match["tag"]) + 2
        elif match["end"]:
            yield from _unless_empty(sql[start:position])
            start = position
    yield from _unless_empty(sql[start:])


def sqlite_statements(sql: str) -> Iterator[str]:
    """The statements of a SQLite script. SQLite itself says where one ends (a trigger's body has semicolons)."""
    start = 0
    for match in re.finditer(";", sql):
        if sqlite3.complete_statement(sql[start : match.end()]):
            yield from _unless_empty(sql[start : match.end()])
            start = match.end()
    yield from _unless_empty(sql[start:])


def _end_of_block_comment(sql: str, position: int) -> int:
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(sql, position):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(sql)


def _unless_empty(statement: str) -> Iterator[str]:
    bare = re.sub(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", "", statement, flags=re.DOTALL).strip()
    if bare not in ("", ";") and not _TRANSACTION_CONTROL.fullmatch(bare):
        yield statement.strip()
