"""Turns records of the database into the result that was asked for.

The structure of a result is known when its plan is compiled, so a Python function is written and compiled for it: one
dict display a record, with the conversions in place. Two kinds are made: over rows by position (a result that comes
straight from one statement) and over records by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from prisma.engine.plan.scalars import READY, Convert, converter
from prisma.errors import InvalidValueError, UnsupportedPlanError

Enums = Mapping[str, Mapping[str, str]]
Mapper = Callable[[Any], Any]
Place = Callable[[str], str]  # name of a column -> source text of its value in the row `r`


def compile_data_map(structure: dict[str, Any], enums: Enums) -> Mapper:
    """A function over records (dict, list of dict, JSON text, None) or over a count of affected rows."""
    match structure["type"]:
        case "affectedRows":
            return lambda value: {"count": value}
        case "field":
            convert = _field_function(structure["fieldType"], enums)
            return _guarded(convert)
        case "object":
            return _guarded(_object_function(structure, enums))
        case other:
            raise _unknown(other)


def compile_row_map(structure: dict[str, Any], enums: Enums, columns: Sequence[str]) -> Mapper:
    """A function over a list of rows whose columns are known by position."""
    places = {name: position for position, name in enumerate(columns)}
    source = _Source(enums)
    try:
        text = source.record(structure, lambda name: f"r[{places[name]}]")
    except KeyError as error:
        raise InvalidValueError(
            f"Missing data field: {error.args[0]!r}; the statement gave {list(columns)}."
        ) from error
    return _guarded(source.function(f"lambda rows: [{text} for r in rows]"))


def _guarded(mapper: Mapper) -> Mapper:
    def guarded(value: Any) -> Any:
        try:
            return mapper(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidValueError(f"Inconsistent column data: {error}", code="P2023") from error
        except KeyError as error:
            raise InvalidValueError(f"Missing data field: {error.args[0]!r}.", code="P2023") from error

    return guarded


def _object_function(structure: dict[str, Any], enums: Enums) -> Mapper:
    source = _Source(enums)
    text = source.record(structure, lambda name: f"r[{name!r}]")
    one = source.function(f"lambda r: {text}")
    many = source.function(f"lambda rows: [{text} for r in rows]")
    some = source.function(f"lambda rows: [{text} for r in rows if r is not None]") if structure["skipNulls"] else many

    def apply(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return some(value)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(value, (str, bytes)):
            return apply(orjson.loads(value))
        return one(value)

    return apply


def _field_function(kind: dict[str, Any], enums: Enums) -> Convert:
    convert = converter(kind, enums)
    if kind["arity"] == "list":
        return lambda value: [] if value is None else [convert(item) for item in value]
    return lambda value: None if value is None else convert(value)


class _Source:
    """Source text in the making, with the names it refers to."""

    def __init__(self, enums: Enums) -> None:
        self._enums = enums
        self._names: dict[str, Any] = {"__builtins__": {}}

    def function(self, text: str) -> Mapper:
        # The text holds names of columns and fields as `repr` writes them, and nothing else from outside.
        return eval(text, self._names)  # noqa: S307

    def record(self, structure: dict[str, Any], place: Place) -> str:
        """A dict display for one record, which is `r`."""
        fields: list[str] = []
        for name, node in structure["fields"].items():
            match node["type"]:
                case "field":
                    fields.append(f"{name!r}: {self._value(node['fieldType'], place(node['dbName']))}")
                case "object" if node["serializedName"] is None:
                    fields.append(f"{name!r}: {self.record(node, place)}")
                case "object":
                    function = self._name(_object_function(node, self._enums))
                    fields.append(f"{name!r}: {function}({place(node['serializedName'])})")
                case other:
                    raise _unknown(other)
        return "{" + ", ".join(fields) + "}"

    def _value(self, kind: dict[str, Any], given: str) -> str:
        convert = self._name(converter(kind, self._enums))
        if kind["arity"] == "list":
            return f"([] if (v := {given}) is None else [{convert}(i) for i in v])"
        ready = READY.get(kind["type"])
        if ready is None:
            return f"(None if (v := {given}) is None else {convert}(v))"
        return f"(v if (v := {given}) is None or v.__class__ is {self._name(ready)} else {convert}(v))"

    def _name(self, value: Any) -> str:
        name = f"n{len(self._names)}"
        self._names[name] = value
        return name


def _unknown(kind: Any) -> UnsupportedPlanError:
    return UnsupportedPlanError(f"The plan has a result of kind {kind!r} that this client does not know.")
