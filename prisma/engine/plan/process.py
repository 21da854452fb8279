"""The `process` node: distinct, cursor and page of records, and of the records inside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from prisma.engine.plan import records
from prisma.engine.plan.frame import Frame

Process = Callable[[Any, Frame], Any]
Getter = Callable[[Any], Callable[[Frame], Any]]


def compile_process(operations: dict[str, Any], getter: Getter) -> Process:
    """A function over records: a list, one record, JSON text of either, or None."""
    pagination: dict[str, Any] = operations["pagination"] or {}
    given: dict[str, Any] = pagination.get("cursor") or {}
    cursor = {name: getter(value) for name, value in given.items()}
    skip: int | None = pagination.get("skip")
    take: int | None = pagination.get("take")
    linking: list[str] | None = operations["linkingFields"]
    distinct: list[str] | None = operations["distinct"]
    if distinct is not None:
        distinct = [*distinct, *(linking or [])]
    nested = {name: compile_process(inner, getter) for name, inner in operations["nested"].items()}

    def inside(record: Any, frame: Frame) -> Any:
        for name, process in nested.items():
            record[name] = process(record.get(name), frame)
        return record

    def many(found: list[Any], frame: Frame) -> list[Any]:
        if distinct is not None:
            found = records.distinct_by(found, distinct)
        if pagination:
            start = {name: get(frame) for name, get in cursor.items()} or None
            found = records.page(found, cursor=start, skip=skip, take=take, linking=linking)
        if operations["reverse"]:
            found = found[::-1]
        return [inside(record, frame) for record in found] if nested else found

    def one(record: Any, frame: Frame) -> Any:
        if pagination:
            start = {name: get(frame) for name, get in cursor.items()}
            if (skip or 0) > 0 or take == 0 or not records.matches(record, start):
                return None
        return inside(record, frame)

    def process(value: Any, frame: Frame) -> Any:
        if value is None:
            return None
        if isinstance(value, (str, bytes)):
            return process(orjson.loads(value), frame)
        return many(value, frame) if isinstance(value, list) else one(value, frame)  # pyright: ignore[reportUnknownArgumentType]

    return process
