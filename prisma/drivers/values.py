"""Conversions between what databases and the JSON protocol write and Python values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_ONLY = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::?\d{2})?)?")


def parse_datetime(text: str) -> datetime:
    """The moment that a text names, in UTC. Date only is midnight; time only is on 1970-01-01; no zone is UTC.

    Raises:
        ValueError: It names none.
    """
    if _TIME_ONLY.fullmatch(text):
        text = f"1970-01-01T{text}"
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def to_datetime(value: Any) -> datetime:
    """The moment a column holds: text, milliseconds since 1970, or what the driver made of it, in UTC.

    Raises:
        ValueError: The text names no moment.
        TypeError: It is none of these.
    """
    if isinstance(value, str):
        moment = datetime.fromisoformat(value) if len(value) > 18 else parse_datetime(value)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, (int, float)):
        return EPOCH + timedelta(milliseconds=value)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, time):
        moment = datetime.combine(EPOCH, value)
        return moment.replace(tzinfo=UTC) if value.tzinfo is None else moment.astimezone(UTC)
    raise TypeError(f"{value!r} is no date.")


def now() -> datetime:
    """This moment in UTC, cut to milliseconds: what Prisma's columns keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def json_text(value: Any) -> str:
    """A Json value as text. Tagged scalars, dates, decimals and bytes inside become what JSON has for them."""
    return orjson.dumps(_untagged(value), default=_json_default, option=orjson.OPT_NON_STR_KEYS).decode()


def _untagged(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "$type" in value and "value" in value:
            inner: Any = value["value"]  # pyright: ignore[reportUnknownVariableType]
            return orjson.loads(inner) if value["$type"] == "Json" and isinstance(inner, str) else _untagged(inner)
        return {key: _untagged(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [_untagged(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _json_default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int):  # beyond 64 bits
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        import base64

        return base64.b64encode(value).decode()
    raise TypeError(f"A value of type {type(value).__name__} cannot be part of a Json value.")
