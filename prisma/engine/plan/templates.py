"""Statements of a plan: SQL in pieces, with places for values, lists and lists of tuples.

A statement whose text does not depend on the values is put together once. One with a list (`IN (...)`, `VALUES ...`) is
put together by the lists' lengths, and cut into several when it has more values than the database takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from prisma.engine.plan.frame import Frame
from prisma.errors import TooManyParametersError, UnsupportedPlanError

Bind: TypeAlias = Callable[[dict[str, Any]], Callable[[Any], Any] | None]
Statement: TypeAlias = tuple[str, Sequence[Any]]
Arguments: TypeAlias = Callable[[Frame], Sequence[Any]]

SINGLE, TUPLE, TUPLES = "parameter", "parameterTuple", "parameterTupleList"


class Template:
    """A `templateSql` of a plan."""

    def __init__(self, source: dict[str, Any], *, bind: Bind, max_parameters: int) -> None:
        self._fragments: list[dict[str, Any]] = source["fragments"]
        self._places = [piece for piece in self._fragments if piece["type"] != "stringChunk"]
        for piece in self._places:
            if piece["type"] not in {SINGLE, TUPLE, TUPLES}:
                raise UnsupportedPlanError(f"The plan has an SQL fragment {piece['type']!r} that this client lacks.")
        self._prefix: str = source["placeholderFormat"]["prefix"]
        self._numbered: bool = source["placeholderFormat"]["hasNumbering"]
        self._chunkable: bool = source["chunkable"]
        self._max = max_parameters
        self._types: list[dict[str, Any]] = source["argTypes"]
        self._bind = bind
        self._converters = [_converters(kind, bind) for kind in self._types]
        self.fixed = all(piece["type"] == SINGLE for piece in self._places) and len(self._places) <= max_parameters
        self.sql = self._text([None] * len(self._places)) if self.fixed else ""
        self.conversions = [
            (place, found[0]) for place, found in enumerate(self._converters) if found is not None and self.fixed
        ]

    def render(self, values: Sequence[Any]) -> list[Statement]:
        """The statements to run, each with its bound values.

        Raises:
            TooManyParametersError: It cannot be cut to what the database takes.
        """
        given: list[Any] = [
            value if piece["type"] != TUPLE or isinstance(value, list) else [value]
            for piece, value in zip(self._places, values, strict=True)
        ]
        chunks = self._cut(given) if self._chunkable else [given]
        return [self._render(chunk) for chunk in chunks]

    def _render(self, values: list[Any]) -> Statement:
        bound: list[Any] = []
        for piece, value, converters in zip(self._places, values, self._converters, strict=True):
            flat: list[Any]
            match piece["type"]:
                case "parameterTuple":
                    flat = value
                case "parameterTupleList":
                    flat = [item for row in value for item in row]
                case _:
                    flat = [value]
            if converters is None:
                bound += flat
            else:
                width = len(converters)
                bound += [
                    item if (convert := converters[place % width]) is None else convert(item)
                    for place, item in enumerate(flat)
                ]
        if len(bound) > self._max:
            raise TooManyParametersError(
                f"The query has {len(bound)} parameters; the database takes {self._max} and it cannot be split."
            )
        return self._text(values), bound

    def _text(self, values: Sequence[Any]) -> str:
        parts: list[str] = []
        number, place = 0, 0
        for piece in self._fragments:
            kind = piece["type"]
            if kind == "stringChunk":
                parts.append(piece["chunk"])
                continue
            if kind == SINGLE:
                number += 1
                parts.append(self._placeholder(number))
            elif kind == TUPLE:
                count = len(values[place])
                items = [
                    f"{piece['itemPrefix']}{self._placeholder(number + step)}{piece['itemSuffix']}"
                    for step in range(1, count + 1)
                ]
                parts.append(f"({piece['itemSeparator'].join(items) or 'NULL'})")
                number += count
            else:
                rows: list[str] = []
                for row in values[place]:
                    items = [self._placeholder(number + step) for step in range(1, len(row) + 1)]
                    rows.append(f"{piece['itemPrefix']}{piece['itemSeparator'].join(items)}{piece['itemSuffix']}")
                    number += len(row)
                parts.append(piece["groupSeparator"].join(rows))
            place += 1
        return "".join(parts)

    def _placeholder(self, number: int) -> str:
        return f"{self._prefix}{number}" if self._numbered else self._prefix

    def _cut(self, values: list[Any]) -> list[list[Any]]:
        """The values cut along their longest list so that each part fits; as they are where that cannot help."""
        sizes = [_size(piece, value) for piece, value in zip(self._places, values, strict=True)]
        total, longest = sum(sizes), max(sizes, default=0)
        if total <= self._max:
            return [values]
        place = sizes.index(longest)
        room = self._max - (total - longest)
        if room <= 0 or self._places[place]["type"] == SINGLE:
            return [values]
        parts: list[list[Any]] = []
        if self._places[place]["type"] == TUPLE:
            items = values[place]
            parts = [items[start : start + room] for start in range(0, len(items), room)]
        else:
            used = room + 1
            for row in values[place]:
                if used + len(row) > room:
                    parts.append([])
                    used = 0
                parts[-1].append(row)
                used += len(row)
        return [[*values[:place], part, *values[place + 1 :]] for part in parts]


def _size(piece: dict[str, Any], value: Any) -> int:
    match piece["type"]:
        case "parameterTuple":
            return len(value)
        case "parameterTupleList":
            return sum(len(row) for row in value)
        case _:
            return 1


def _converters(kind: dict[str, Any], bind: Bind) -> list[Callable[[Any], Any] | None] | None:
    """How the values of one place are written for the driver; None when they all go as they are."""
    found = [bind(element) for element in kind["elements"]] if kind["arity"] == "tuple" else [bind(kind)]
    return None if all(convert is None for convert in found) else found
