"""Work on records in memory: joining, differences, distinct, cursors and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeAlias

import orjson

from prisma.drivers.values import to_datetime

Record: TypeAlias = dict[str, Any]
Key: TypeAlias = Callable[[Record], Any]


def key_of(fields: Sequence[str]) -> Key:
    """A function that gives the values of some fields of a record, as something hashable."""
    getter: Callable[[Any], Any] = itemgetter(*fields) if fields else _nothing

    def key(record: Record) -> Any:
        values = getter(record)
        try:
            hash(values)
        except TypeError:
            return orjson.dumps(values, default=repr)
        return values

    return key


def _nothing(_record: Any) -> tuple[()]:
    return ()


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]


def is_empty(value: Any) -> bool:
    return value is None or value == []


def map_field(value: Any, field: str) -> Any:
    """The field of a record, or of each record of a list."""
    if isinstance(value, list):
        return [map_field(item, field) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return value.get(field)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return value


def attach(parents: Any, children: Any, *, on: Sequence[Sequence[str]], field: str, unique: bool, strict: bool) -> None:
    """Give each parent record its children under `field`: one record or None when `unique`, else a list.

    Args:
        on: Pairs of the parent's and the child's field that must be equal.
        strict: Both sides come from columns of one type; else the child's keys are cast to the parent's types.
    """
    parent_key, child_key = key_of([left for left, _ in on]), key_of([right for _, right in on])
    groups: dict[Any, list[Record]] = {}
    records = as_list(parents)
    for parent in records:
        parent[field] = None if unique else []
        groups.setdefault(parent_key(parent), []).append(parent)
    casts = [] if strict else _casts(records, [left for left, _ in on])
    for child in as_list(children):
        if child is None:
            continue
        key = child_key(child)
        if casts and key not in groups:
            key = _cast(key, casts)
        for parent in groups.get(key, ()):
            if unique:
                parent[field] = child
            else:
                parent[field].append(child)


def _casts(records: Iterable[Record], fields: Sequence[str]) -> list[type | None]:
    found: list[type | None] = [None] * len(fields)
    for record in records:
        for position, field in enumerate(fields):
            if found[position] is None and isinstance(record[field], (int, float, str)):
                found[position] = type(record[field])
        if None not in found:
            break
    return found


def _cast(key: Any, casts: list[type | None]) -> Any:
    values = list(key) if len(casts) > 1 else [key]
    for position, kind in enumerate(casts):
        if kind is not None and values[position] is not None and type(values[position]) is not kind:
            try:
                values[position] = kind(values[position])
            except (TypeError, ValueError):
                continue
    return tuple(values) if len(casts) > 1 else values[0]


def difference(left: Any, right: Any, fields: Sequence[str]) -> list[Any]:
    """The records of `left` that have no equal in `right`, judged by some fields."""
    key = key_of(fields)
    known = {None if item is None else key(item) for item in as_list(right)}
    return [item for item in as_list(left) if (None if item is None else key(item)) not in known]


def distinct_by(records: list[Record], fields: Sequence[str]) -> list[Record]:
    """The first record of each kind."""
    key, seen = key_of(fields), dict[Any, Record]()
    for record in records:
        seen.setdefault(key(record), record)
    return list(seen.values())


def page(
    records: list[Record], *, cursor: Record | None, skip: int | None, take: int | None, linking: Sequence[str] | None
) -> list[Record]:
    """A page of the records; with `linking` a page for each parent that those fields point to."""
    if linking is None:
        return _page(records, cursor, skip, take)
    key, groups = key_of(linking), dict[Any, list[Record]]()
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return [record for group in groups.values() for record in _page(group, cursor, skip, take)]


def _page(records: list[Record], cursor: Record | None, skip: int | None, take: int | None) -> list[Record]:
    start = 0
    if cursor is not None:
        found = next((place for place, record in enumerate(records) if matches(record, cursor)), None)
        if found is None:
            return []
        start = found
    start += skip or 0
    return records[start:] if take is None else records[start : start + take]


def matches(record: Record, cursor: Record) -> bool:
    """Whether the record has the values of the cursor, however either side writes them."""
    return all(same(record.get(field), value) for field, value in cursor.items())


def same(left: Any, right: Any) -> bool:
    """Whether two values of one column are equal: one may come from the caller, the other from the database."""
    if left == right:
        return True
    if left is None or right is None or type(left) is type(right):
        return False
    try:
        if isinstance(left, datetime) or isinstance(right, datetime):
            return to_datetime(left) == to_datetime(right)
        if isinstance(left, (Decimal, int, float)) or isinstance(right, (Decimal, int, float)):
            return Decimal(str(left)) == Decimal(str(right))
    except (TypeError, ValueError, ArithmeticError):
        return False
    return str(left) == str(right)
