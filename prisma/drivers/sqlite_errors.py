"""sqlite3's errors as Prisma's. Same mapping as @prisma/adapter-better-sqlite3 7.10.0, but a locked database is P2034:
the operation did nothing and may be tried again."""

from __future__ import annotations

import sqlite3

from prisma.errors import (
    ColumnNotFoundError,
    DatabaseError,
    DataError,
    ForeignKeyViolationError,
    InvalidValueError,
    MissingRequiredValueError,
    OperationTimeoutError,
    TableNotFoundError,
    UniqueViolationError,
    UnreachableError,
    WriteConflictError,
)

PRIMARY = 0xFF  # the part of an extended code that names the kind
UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
FOREIGN_KEY = {sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER}
UNREACHABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_PERM}


def sqlite_error(error: Exception) -> DataError:  # noqa: PLR0911 - one answer a kind of error
    """The error of this client for one of sqlite3's."""
    message = str(error)
    code = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
    meta = {"database_error": message, "database_code": getattr(error, "sqlite_errorname", None)}
    if isinstance(error, OverflowError):
        return InvalidValueError(f"A value does not fit into 64 bits: {message}", code="P2020", meta=meta)
    if isinstance(error, UnicodeEncodeError):
        return InvalidValueError(f"Invalid input value: {message}", code="P2007", meta=meta)
    if code in UNIQUE:
        table, fields = _columns(message)
        named = ", ".join(f"`{field}`" for field in fields)
        meta |= {"target": list(fields), "table": table}
        return UniqueViolationError(f"Unique constraint failed on the fields: ({named})", meta=meta, fields=fields)
    if code == sqlite3.SQLITE_CONSTRAINT_NOTNULL:
        table, fields = _columns(message)
        named = ", ".join(f"`{field}`" for field in fields)
        text = f"Null constraint violation on the fields: ({named})"
        return MissingRequiredValueError(text, code="P2011", meta=meta | {"table": table}, fields=fields)
    if code in FOREIGN_KEY:
        return ForeignKeyViolationError("Foreign key constraint violated on the foreign key", meta=meta)
    if code & PRIMARY in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return WriteConflictError("The database is locked by another process: try the transaction again.", meta=meta)
    if code & PRIMARY == sqlite3.SQLITE_INTERRUPT:
        return OperationTimeoutError("The operation ran past its timeout and was stopped.", meta=meta)
    if code & PRIMARY in UNREACHABLE:
        return UnreachableError(f"The database cannot be opened: {message}", code="P1003", meta=meta)
    if code & PRIMARY == sqlite3.SQLITE_TOOBIG:
        return InvalidValueError(f"A value is too long: {message}", code="P2000", meta=meta)
    return _by_message(message, meta)


def _by_message(message: str, meta: dict[str, str | None]) -> DataError:
    if message.startswith("no such table"):
        table = message.partition(": ")[2]
        return TableNotFoundError(f"The table `{table}` does not exist in the current database.", meta=meta)
    for mark in ("no such column: ", "has no column named "):
        if mark in message:
            column = message.partition(mark)[2]
            text = f"The column `{column}` does not exist in the current database."
            return ColumnNotFoundError(text, meta=meta, fields=(column,))
    return DatabaseError(f"Database error. Code: `{meta['database_code']}`. Message: `{message}`", meta=meta)


def _columns(message: str) -> tuple[str | None, tuple[str, ...]]:
    """Table and columns of `... constraint failed: User.a, User.b`."""
    names = message.partition("constraint failed: ")[2].split(", ")
    table = names[0].rpartition(".")[0] or None
    return table, tuple(name.rpartition(".")[2] for name in names if name)
