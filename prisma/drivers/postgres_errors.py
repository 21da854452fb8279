"""asyncpg's errors as Prisma's. Same mapping as @prisma/adapter-pg 7.10.0."""

from __future__ import annotations

import re
from typing import Any

import asyncpg

from prisma.errors import (
    ColumnNotFoundError,
    ConnectionClosedError,
    DatabaseError,
    DataError,
    ForeignKeyViolationError,
    InvalidValueError,
    MissingRequiredValueError,
    OperationTimeoutError,
    PoolTimeoutError,
    TableNotFoundError,
    UniqueViolationError,
    UnreachableError,
    WriteConflictError,
)

KEY = re.compile(r"Key \(([^)]+)\)")
QUOTED = re.compile(r'"((?:""|[^"])*)"')
CONFLICTS = {"40001", "40P01"}
BROKEN = {asyncpg.InternalClientError, asyncpg.ProtocolError}  # the connection was cut in the middle of something
CLOSED = {"57P01", "57P02", "08000", "08003", "08006"}
NOT_READY = {"57P03", "08001", "08004"}


def connect_error(error: Exception) -> DataError:
    """The error for a connection that could not be made."""
    if isinstance(error, asyncpg.PostgresError):
        mapped = postgres_error(error)
        if not isinstance(mapped, ConnectionClosedError):
            return mapped
    reason = str(error) or "no answer in time"
    return UnreachableError(f"Can't reach database server: {reason}", meta={"database_error": reason})


def postgres_error(error: Exception) -> DataError:
    """The error of this client for one of asyncpg's or of the network."""
    message = str(error)
    meta: dict[str, Any] = {"database_error": message}
    if type(error) is asyncpg.exceptions.DataError:  # asyncpg itself cannot write a value as its type
        code = "P2020" if "out of" in message else "P2007"
        return InvalidValueError(f"Invalid input value: {message}", code=code, meta=meta)
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
        return _by_state(error, str(error.sqlstate), message)
    if isinstance(error, TimeoutError):
        return OperationTimeoutError("The operation ran past its timeout.", meta=meta)
    if isinstance(error, (OSError, asyncpg.InterfaceError)) or type(error) in BROKEN:
        return ConnectionClosedError(f"Server has closed the connection: {message}", meta=meta)
    return DatabaseError(f"Database error. Message: `{message}`", meta=meta)


def _by_state(error: asyncpg.PostgresError, state: str, message: str) -> DataError:  # noqa: PLR0911, PLR0912
    detail = _text(error, "detail")
    table, column = _text(error, "table_name"), _text(error, "column_name")
    meta: dict[str, Any] = {
        "database_error": message,
        "database_code": state,
        "constraint": _text(error, "constraint_name"),
        "table": table,
    }
    match state:
        case "23505":
            fields = _key(detail)
            text = f"Unique constraint failed on the fields: ({_named(fields)})"
            return UniqueViolationError(text, meta=meta | {"target": list(fields)}, fields=fields)
        case "23502":
            fields = (column,) if column else _key(detail)
            text = f"Null constraint violation on the fields: ({_named(fields)})"
            return MissingRequiredValueError(text, code="P2011", meta=meta, fields=fields)
        case "23503" | "23001":
            # Where a row is still referenced the key is the other table's: what is blamed is the constraint.
            fields = () if detail and "still referenced" in detail else _key(detail)
            text = f"Foreign key constraint violated on the constraint: `{meta['constraint']}`"
            return ForeignKeyViolationError(text, meta=meta, fields=fields)
        case "22001":
            text = f"The provided value is too long for the column's type. Column: {column or '(not available)'}"
            return InvalidValueError(text, code="P2000", meta=meta)
        case "22003":
            return InvalidValueError(f"Value out of range for the type: {message}", code="P2020", meta=meta)
        case "22P02":
            return InvalidValueError(f"Invalid input value: {message}", code="P2007", meta=meta)
        case "42P01":
            name = _quoted(message)
            return TableNotFoundError(f"The table `{name}` does not exist in the current database.", meta=meta)
        case "42703":
            name = _quoted(message)
            text = f"The column `{name}` does not exist in the current database."
            return ColumnNotFoundError(text, meta=meta, fields=(name,))
        case "3D000":
            return UnreachableError(f"Database `{_quoted(message)}` does not exist.", code="P1003", meta=meta)
        case "28000":
            return UnreachableError(f"User was denied access: {message}", code="P1010", meta=meta)
        case "28P01":
            return UnreachableError(f"Authentication failed: {message}", code="P1000", meta=meta)
        case "53300":
            return PoolTimeoutError(f"Too many database connections opened: {message}", code="P2037", meta=meta)
        case "57014":
            return OperationTimeoutError("The operation ran past its timeout and was stopped.", meta=meta)
        case _ if state in CONFLICTS:
            text = "Transaction failed due to a write conflict or a deadlock. Please retry your transaction"
            return WriteConflictError(text, meta=meta)
        case _ if state in CLOSED:
            return ConnectionClosedError(f"Server has closed the connection: {message}", meta=meta)
        case _ if state in NOT_READY:
            return UnreachableError(f"Can't reach database server: {message}", meta=meta)
        case _:
            return DatabaseError(f"Database error. Code: `{state}`. Message: `{message}`", meta=meta)


def _key(detail: str | None) -> tuple[str, ...]:
    found = KEY.search(detail or "")
    return tuple(name.strip().strip('"') for name in found[1].split(", ")) if found else ()


def _quoted(message: str) -> str:
    """The name that a message quotes: `relation "public.User" does not exist`, `column User.x does not exist`."""
    names = [name.replace('""', '"') for name in QUOTED.findall(message)]
    return ".".join(names) or message.removeprefix("column ").partition(" ")[0]


def _named(fields: tuple[str, ...]) -> str:
    return ", ".join(f"`{field}`" for field in fields)


def _text(error: Exception, name: str) -> str | None:
    value = getattr(error, name, None)
    return str(value) if value else None
