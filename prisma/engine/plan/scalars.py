"""What a database gives for a column -> the Python value of its Prisma type. None never comes here.

Each function raises ValueError or TypeError for what cannot be such a value.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from prisma.drivers.values import to_datetime
from prisma.errors import UnsupportedPlanError

Convert = Callable[[Any], Any]


def to_text(value: Any) -> str:
    if isinstance(value, (int, float, bytes, list, dict)):
        raise TypeError(f"Expected a string, got {value!r}.")
    return str(value)  # uuid, inet and their like


def to_int(value: Any) -> int:
    number = float(value) if isinstance(value, str) else value
    return int(number) if isinstance(value, (int, Decimal)) else math.trunc(number)


def to_bigint(value: Any) -> int:
    return int(value)


def to_float(value: Any) -> float:
    return float(value)


def to_boolean(value: Any) -> bool:
    if isinstance(value, (int, float)):
        return value == 1
    if isinstance(value, bytes):
        return any(value)
    known = {"true": True, "TRUE": True, "1": True, "false": False, "FALSE": False, "0": False}
    if value not in known:
        raise ValueError(f"Expected a boolean, got {value!r}.")
    return known[value]


def to_decimal(value: Any) -> Decimal:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return Decimal(int(value))
    try:
        return Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"Expected a decimal, got {value!r}.") from error


def to_json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


def same(value: Any) -> Any:
    return value


def bytes_from(encoding: str) -> Convert:
    """Bytes from what stands for them: themselves at the top, text inside of JSON."""

    def convert(value: Any) -> bytes:
        if isinstance(value, str):
            return bytes.fromhex(value[2:]) if encoding == "hex" else base64.b64decode(value)
        return bytes(value)

    return convert


CONVERT: Mapping[str, Convert] = {
    "string": to_text,
    "int": to_int,
    "bigint": to_bigint,
    "float": to_float,
    "boolean": to_boolean,
    "decimal": to_decimal,
    "datetime": to_datetime,
    "json": to_json,
    "object": same,
    "unsupported": same,
}
# What needs no conversion: such a value is taken without a call.
READY: Mapping[str, type] = {
    "string": str,
    "int": int,
    "bigint": int,
    "float": float,
    "boolean": bool,
    "decimal": Decimal,
}


def converter(kind: Mapping[str, Any], enums: Mapping[str, Mapping[str, str]]) -> Convert:
    """The conversion for a field type of a plan."""
    match kind["type"]:
        case "enum":
            names = enums[kind["name"]]

            def to_enum(value: Any) -> str:
                if value not in names:
                    raise ValueError(f"Value {value!r} not found in enum {kind['name']!r}.")
                return names[value]

            return to_enum
        case "bytes":
            return bytes_from(kind["encoding"])
        case name if name in CONVERT:
            return CONVERT[name]
        case name:
            raise UnsupportedPlanError(f"The plan has a field type {name!r} that this client does not know.")
