"""How values are written on SQLite, so that Prisma's own client reads them: @prisma/adapter-better-sqlite3 7.10.0.

Moments are ISO 8601 text in UTC with milliseconds, decimals and floats REAL, booleans 0 and 1, Json text, bytes BLOB.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from prisma.drivers.values import json_text, parse_datetime


def bind_datetime(value: Any) -> Any:
    if isinstance(value, str):
        value = parse_datetime(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return bind_datetime(datetime.combine(value, time(), UTC))
    return value


def bind_float(value: Any) -> Any:
    return float(value) if isinstance(value, (str, int, Decimal)) else value


def bind_int(value: Any) -> Any:
    return int(value) if isinstance(value, (str, Decimal)) else value


def bind_boolean(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def bind_bytes(value: Any) -> Any:
    return base64.b64decode(value) if isinstance(value, str) else value


def bind_any(value: Any) -> Any:  # noqa: PLR0911 - one answer a type
    """A value whose column is not known: a parameter of a raw query."""
    match value:
        case None | str() | int() | float() | bytes() if not isinstance(value, Enum):
            return value
        case Enum():
            return bind_any(value.value)
        case Decimal():
            return float(value)
        case date():
            return bind_datetime(value)
        case UUID():
            return str(value)
        case dict() | list() | tuple():
            return json_text(value)
        case _:
            return value


BIND: Mapping[str, Callable[[Any], Any]] = {
    "datetime": bind_datetime,
    "float": bind_float,
    "decimal": bind_float,
    "int": bind_int,
    "bigint": bind_int,
    "boolean": bind_boolean,
    "bytes": bind_bytes,
    "unknown": bind_any,
}
