"""Builds rows. The engine has typed the values, so nothing is validated again.

Knows pydantic's models only by their four slots, so that importing the client does not import pydantic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from prisma.runtime.rows import Row

RawRow: TypeAlias = dict[str, Any]
Build: TypeAlias = Callable[[RawRow], Any]

SLOTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


def constructor(cls: type[Row], defaults: Mapping[str, Any]) -> Build:
    """A function that makes a row of `cls` out of the engine's dict, which it takes over.

    Args:
        defaults: What the row has besides: None for each relation of a row that was read without `include`.
    """
    new = object.__new__
    set_values, set_given, set_extra, set_private = (_setter(cls, slot) for slot in SLOTS)
    every_field: set[str] = set(cls.model_fields)

    def construct(raw: RawRow) -> Row:
        row = new(cls)
        if defaults:
            raw.update(defaults)
        set_values(row, raw)
        set_given(row, every_field)
        set_extra(row, None)
        set_private(row, None)
        return row

    return construct


def _setter(cls: type[Row], slot: str) -> Callable[[Row, Any], None]:
    """Sets a slot without looking it up again for each row; a frozen model refuses the ordinary way."""
    descriptor: Any = next(
        vars(base)[slot] for base in cls.__mro__ if slot in vars(base) and base.__module__ != "builtins"
    )
    return descriptor.__set__


def enum_reader(members: Mapping[str, type[Enum]]) -> Callable[[RawRow], None] | None:
    """A function that puts enum members in place of the engine's strings; None when the model has no enum."""
    if not members:
        return None
    tables = [(field, enum._value2member_map_) for field, enum in members.items()]

    def read(raw: RawRow) -> None:
        for field, table in tables:
            value = raw.get(field)
            if value is None:
                continue
            raw[field] = [table[item] for item in cast(list[Any], value)] if type(value) is list else table[value]

    return read
