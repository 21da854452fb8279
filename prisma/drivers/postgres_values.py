"""How values are written for asyncpg, which wants exactly the Python type of each parameter's PostgreSQL type.

Prisma's own client sends text and lets the server read it; here the server is asked once a statement which types its
parameters have, and values are made to fit.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.types import BitString, Type

from prisma.drivers.values import json_text, parse_datetime, to_datetime

Coerce = Callable[[Any], Any]


def to_text(value: Any) -> str:
    match value:
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case datetime():
            return _utc(value).isoformat(sep=" ", timespec="milliseconds")
        case dict() | list():
            return json_text(value)
        case _:
            return str(value)


def to_int(value: Any) -> int:
    return int(value)


def to_float(value: Any) -> float:
    return float(value)


def to_decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def to_bool(value: Any) -> bool:
    return value.lower() in {"true", "t", "1"} if isinstance(value, str) else bool(value)


def to_timestamp(value: Any) -> datetime:
    return _utc(value).replace(tzinfo=None)


def to_timestamptz(value: Any) -> datetime:
    return _utc(value)


def to_date(value: Any) -> date:
    return value if isinstance(value, date) and not isinstance(value, datetime) else _utc(value).date()


def to_time(value: Any) -> time:
    return value.replace(tzinfo=None) if isinstance(value, time) else _utc(value).time()


def to_timetz(value: Any) -> time:
    return value if isinstance(value, time) and value.tzinfo else _utc(value).timetz()


def to_json(value: Any) -> str:
    """Json as text: a string is taken as the text already, which is what plans have."""
    return value if isinstance(value, str) else json_text(value)


def to_bytes(value: Any) -> bytes:
    return base64.b64decode(value) if isinstance(value, str) else bytes(value)


def to_bits(value: Any) -> BitString:
    return BitString(value.encode()) if isinstance(value, str) else value


def to_uuid(value: Any) -> Any:
    return value if isinstance(value, UUID) else str(value)


COERCE: Mapping[str, Coerce] = {
    "text": to_text,
    "varchar": to_text,
    "bpchar": to_text,
    "char": to_text,
    "name": to_text,
    "citext": to_text,
    "xml": to_text,
    "money": to_text,
    "unknown": to_text,
    "int2": to_int,
    "int4": to_int,
    "int8": to_int,
    "oid": to_int,
    "float4": to_float,
    "float8": to_float,
    "numeric": to_decimal,
    "bool": to_bool,
    "timestamp": to_timestamp,
    "timestamptz": to_timestamptz,
    "date": to_date,
    "time": to_time,
    "timetz": to_timetz,
    "json": to_json,
    "jsonb": to_json,
    "bytea": to_bytes,
    "bit": to_bits,
    "varbit": to_bits,
    "uuid": to_uuid,
}
ALIASES = {
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "character varying": "varchar",
    "character": "bpchar",
    "bit varying": "varbit",
}


def coercions(types: Sequence[Type]) -> list[Coerce | None]:
    """How to make values fit the parameters' types; None where a value goes as it is."""
    return [_coercion(kind.name) for kind in types]


def _coercion(name: str) -> Coerce | None:
    if name.endswith("[]") or name.startswith("_"):
        inner = _coercion(name.removesuffix("[]").removeprefix("_"))
        return None if inner is None else _each(inner)
    coerce = COERCE.get(ALIASES.get(name, name))
    return None if coerce is None else _unless_none(coerce)


def _each(inner: Coerce) -> Coerce:
    return lambda value: None if value is None else [inner(item) for item in value]


def _unless_none(coerce: Coerce) -> Coerce:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        return coerce(value.value if isinstance(value, Enum) else value)

    return convert


def from_raw(value: Any, kind: str) -> Any:  # noqa: PLR0911 - one answer a type
    """A value of a raw query's result: moments in UTC, uuid and its like as text, Json parsed."""
    if value is None:
        return None
    if isinstance(value, list):
        inner = kind.removesuffix("[]").removeprefix("_")
        return [from_raw(item, inner) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if kind in {"json", "jsonb"}:
        import orjson

        return orjson.loads(value)
    if isinstance(value, datetime):
        return to_datetime(value)
    if isinstance(value, (str, int, float, Decimal, bytes, date, time)):
        return value
    if isinstance(value, BitString):
        return value.as_string()
    if isinstance(value, asyncpg.Record):
        return dict(value)
    return str(value)


def _utc(value: Any) -> datetime:
    if isinstance(value, str):
        return parse_datetime(value)
    moment = to_datetime(value)
    return moment if moment.tzinfo is UTC else moment.astimezone(timezone.utc)  # noqa: UP017 - asyncpg compares it
