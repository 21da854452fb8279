"""Scalars, their filters and their updates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from prisma.errors import InputError
from prisma.runtime.fields import FieldRef, encode_json, encode_ref
from prisma.runtime.schema import SCALARS
from prisma.runtime.shapes import Encode, Keys, Shape, is_mapping, many

EQUALITY = {"equals": "equals", "in": "in", "not_in": "notIn"}
ORDER = {"lt": "lt", "lte": "lte", "gt": "gt", "gte": "gte"}
TEXT = {"contains": "contains", "startswith": "startsWith", "endswith": "endsWith", "mode": "mode"}
OPERATORS: dict[str, dict[str, str]] = {
    "String": EQUALITY | ORDER | TEXT,
    "Boolean": {"equals": "equals"},
    "Bytes": EQUALITY,
    **dict.fromkeys(("Int", "BigInt", "Float", "Decimal", "DateTime"), EQUALITY | ORDER),
}
LIKE = frozenset({"contains", "startsWith", "endsWith"})
NUMBERS = frozenset({"Int", "BigInt", "Float", "Decimal"})
JSON_VALUES = ("equals", "not", "array_contains", "array_starts_with", "array_ends_with", "lt", "lte", "gt", "gte")
JSON_OTHERS = ("path", "mode", "string_contains", "string_starts_with", "string_ends_with")


def plain(value: Any) -> Any:
    """A scalar as it is; the engine knows Python's types. A reference to a field is spelled out."""
    return encode_ref(cast("FieldRef[Any]", value)) if type(value) is FieldRef else value


def scalar(kind: str) -> Encode:
    """How to translate a value of this type."""
    return encode_json if kind == "Json" else plain


@cache
def filter_of(kind: str, *, having: bool = False, has_mode: bool = True) -> Encode:
    """A filter on a column: a value to be equal to, or a dict of operators.

    Args:
        having: Whether aggregates of the column may stand there too.
        has_mode: Whether the database has `mode`; SQLite has not.
    """
    if kind == "Json":
        return Shape("A filter on Json", lambda: _json_keys(having))
    shape = Shape(f"A filter on {kind}", lambda: _filter_keys(kind, having))
    adapt = None if has_mode or kind != "String" else without_mode

    def encode(value: Any) -> Any:
        if not is_mapping(value):
            return plain(value)
        return shape(value) if adapt is None else adapt(shape(value))

    return encode


def without_mode(given: dict[str, Any]) -> dict[str, Any]:
    """A filter on text for SQLite, whose `contains` and its like ignore the case of A to Z anyway.

    Raises:
        InputError: The case is to be ignored by an operator that does not.
    """
    if given.pop("mode", "default") == "insensitive" and not _is_like(given):
        raise InputError("On SQLite `mode: insensitive` can stand beside contains, startswith and endswith only.")
    return given


def _is_like(given: Any) -> bool:
    if not is_mapping(given):
        return False
    return all(name in LIKE or (name == "not" and _is_like(value)) for name, value in given.items())


def _filter_keys(kind: str, having: bool) -> Keys:
    operators = OPERATORS[kind] if kind in SCALARS else EQUALITY
    keys: dict[str, tuple[str, Encode | None]] = {key: (name, plain) for key, name in operators.items()}
    keys["not"] = ("not", filter_of(kind, having=having))
    return keys | (_aggregates(kind) if having else {})


def _json_keys(having: bool) -> Keys:
    keys: dict[str, tuple[str, Encode | None]] = {key: (key, encode_json) for key in JSON_VALUES}
    keys |= {key: (key, plain) for key in JSON_OTHERS}
    return keys | (_aggregates("Json") if having else {})


def _aggregates(kind: str) -> dict[str, tuple[str, Encode | None]]:
    kinds = {"_count": "Int", "_min": kind, "_max": kind}
    if kind in NUMBERS:
        kinds |= {"_avg": "Decimal" if kind == "Decimal" else "Float", "_sum": kind}
    return {name: (name, filter_of(of)) for name, of in kinds.items()}


def list_value(kind: str) -> Encode:
    """The whole value of a list column, or a reference to another one."""
    if kind != "Json":
        return plain
    every = many(encode_json)
    return lambda value: plain(value) if value is None or isinstance(value, FieldRef) else every(value)


@cache
def list_filter_of(kind: str) -> Shape:
    """A filter on a list column."""
    every = list_value(kind)
    return Shape(
        f"A filter on {kind}[]",
        lambda: {
            "equals": ("equals", every),
            "has": ("has", scalar(kind)),
            "has_every": ("hasEvery", every),
            "has_some": ("hasSome", every),
            "is_empty": ("isEmpty", None),
        },
    )


UPDATES = Shape(
    "An update of a column",
    lambda: {name: (name, None) for name in ("set", "increment", "decrement", "multiply", "divide")},
)


def update_of(kind: str) -> Encode:
    """A new value, or `{"increment": 1}`. A dict for a Json column is the value itself."""
    if kind == "Json":
        return encode_json

    def encode(value: Any) -> Any:
        return UPDATES(value) if is_mapping(value) else value

    return encode


@cache
def list_write_of(kind: str, *, push: bool) -> Encode:
    """A list, `{"set": [...]}`, and in an update `{"push": ...}`."""
    every = list_value(kind)

    def pushed(value: Any) -> Any:
        return (
            every(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else scalar(kind)(value)
        )

    def keys() -> Keys:
        return {"set": ("set", every)} | ({"push": ("push", pushed)} if push else {})

    shape = Shape(f"A write to {kind}[]", keys)

    def encode(value: Any) -> Any:
        return shape(value) if is_mapping(value) else every(value)

    return encode
