"""Takes the values out of an operation, so that operations of one shape share one plan.

Same rules as @prisma/client-engine-runtime 7.10.0: a value becomes a placeholder where the graph allows its type, equal
values share a placeholder (the compiler compares them to choose a native upsert), everything else stays in the shape.
Here plain Python values are understood too; where they stay in the shape they are written as tagged scalars.
"""

from __future__ import annotations

import base64
import enum
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson

from prisma.drivers.values import json_text, parse_datetime
from prisma.engine import param_graph as pg
from prisma.engine.param_graph import Edge, ParamGraph
from prisma.errors import InputError

MAX_INT = 2**31 - 1
MIN_INT = -(2**31)
MAX_BIGINT = 2**63 - 1
MIN_BIGINT = -(2**63)
MAX_SAFE_INTEGER = 2**53 - 1
_MASK_OF_TAG = {
    "DateTime": pg.DATETIME,
    "Decimal": pg.DECIMAL,
    "BigInt": pg.BIGINT,
    "Bytes": pg.BYTES,
    "Json": pg.JSON,
}
_MASK_OF_INT = pg.INT | pg.BIGINT | pg.FLOAT
_WIDTH = {"Int": 0, "BigInt": 1, "Float": 2}


class Parameterizer:
    """Walks one operation; `values` are the placeholders' values in the order of their numbers, from 1."""

    __slots__ = ("_graph", "_numbers", "values")

    def __init__(self, graph: ParamGraph) -> None:
        self._graph = graph
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def shape(self, model: str | None, action: str, query: Mapping[str, Any]) -> bytes:
        """The operation as JSON with placeholders: what the compiler takes, and the key of the plan."""
        arguments, outputs = self._graph.roots.get(f"{model}.{action}", (None, None))
        given = query.get("arguments")
        shape: dict[str, Any] = {
            "arguments": self._object(given, arguments) if given else {},
            "selection": self._selection(query.get("selection") or {}, outputs),
        }
        try:
            return orjson.dumps({"modelName": model, "action": action, "query": shape})
        except TypeError as error:  # half of a surrogate pair, say
            raise InputError(f"The operation cannot be written as JSON: {error}.", model=model) from error

    def _object(self, given: Mapping[str, Any], node: int | None) -> dict[str, Any]:
        if node is None:
            return {key: constant(value) for key, value in given.items()}
        edges = self._graph.inputs[node]
        return {
            key: self._value(value, edges[key]) if key in edges else constant(value) for key, value in given.items()
        }

    def _selection(self, selection: Mapping[str, Any], node: int | None) -> dict[str, Any]:
        edges = {} if node is None else self._graph.outputs[node]
        shape: dict[str, Any] = {}
        for key, value in selection.items():
            if value is True or value is False:
                shape[key] = value
                continue
            arguments, outputs = edges.get(key, (None, None))
            nested: dict[str, Any] = {"selection": self._selection(value.get("selection") or {}, outputs)}
            if given := value.get("arguments"):
                nested["arguments"] = self._object(given, arguments)
            shape[key] = nested
        return shape

    def _value(self, value: Any, edge: Edge) -> Any:  # noqa: PLR0911 - one answer a type
        if value is None:
            return None
        flags, mask, enum_name, child = edge
        if isinstance(value, enum.Enum):
            value = value.value
        if isinstance(value, dict):
            tag = value.get("$type")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            if tag is not None:
                return self._tagged(value, edge)  # pyright: ignore[reportUnknownArgumentType]
            if flags & pg.OBJECT and child is not None:
                return self._object(value, child)  # pyright: ignore[reportUnknownArgumentType]
            return self._placeholder(json_text(value), "Json") if mask & pg.JSON else constant(value)
        if isinstance(value, (list, tuple)):
            return self._list(list(value), edge)  # pyright: ignore[reportUnknownArgumentType]
        if flags & pg.ENUM and enum_name is not None and isinstance(value, str):
            stored = self._graph.enums[enum_name].get(value)
            if stored is not None:
                return self._placeholder(stored, "Enum")
        if not flags & pg.SCALAR:
            return constant(value)
        if mask & pg.JSON and not flags & pg.JSON_ORDER:
            return self._placeholder(json_text(value), "Json")
        kind, decoded = classify(value, mask)
        return constant(value) if kind is None else self._placeholder(decoded, kind)

    def _tagged(self, tagged: Mapping[str, Any], edge: Edge) -> Any:
        tag: str = tagged["$type"]
        if not edge[0] & pg.SCALAR or not _MASK_OF_TAG.get(tag, 0) & edge[1]:
            return constant(tagged)
        if tag == "Json" and edge[0] & pg.JSON_ORDER:
            value = orjson.loads(decode(tagged))
            if not isinstance(value, (dict, list)):
                return constant(value)
        return self._placeholder(decode(tagged), "Float" if tag == "Decimal" else tag)

    def _list(self, items: list[Any], edge: Edge) -> Any:
        flags, mask, _, child = edge
        if flags & pg.SCALAR and mask & pg.JSON:
            return self._placeholder(json_text(items), "Json")
        if flags & pg.LIST_SCALAR and items and mask:
            found = [classify(item, mask) for item in items]
            if all(kind is not None for kind, _ in found):
                return self._placeholder([value for _, value in found], "List", inner=_widest(found))
        if flags & pg.LIST_OBJECT and child is not None:
            return [self._object(item, child) if _is_plain_object(item) else constant(item) for item in items]
        return constant(items)

    def _placeholder(self, value: Any, kind: str, *, inner: str | None = None) -> dict[str, Any]:
        key = (kind, inner, tuple(value)) if inner is not None else (kind, value)
        number = self._numbers.get(key)
        if number is None:
            self.values.append(value)
            number = self._numbers[key] = len(self.values)
        described: dict[str, Any] = {"name": f"%{number}", "type": kind}
        if inner is not None:
            described["inner"] = {"type": inner}
        return {"$type": "Param", "value": described}


def _is_plain_object(value: Any) -> bool:
    return isinstance(value, dict) and "$type" not in value


def classify(value: Any, mask: int) -> tuple[str | None, Any]:  # noqa: PLR0911 - one answer a type
    """The placeholder type of a scalar that `mask` allows, with the value to bind; (None, ...) where it does not."""
    match value:
        case bool():
            return ("Boolean" if mask & pg.BOOLEAN else None), value
        case enum.Enum():
            return classify(value.value, mask)
        case str():
            return ("String" if mask & pg.STRING else None), value
        case int() if MIN_INT <= value <= MAX_INT and mask & _MASK_OF_INT:
            return "Int", value
        case int() if MIN_BIGINT <= value <= MAX_BIGINT and mask & pg.BIGINT:
            return "BigInt", value
        case int() | float() if mask & pg.FLOAT:
            return "Float", float(value)
        case int() | float() | Decimal() if mask & pg.DECIMAL:
            return "Float", value if isinstance(value, Decimal) else Decimal(str(value))
        case datetime() | date():
            return ("DateTime" if mask & pg.DATETIME else None), as_datetime(value)
        case bytes() | bytearray():
            return ("Bytes" if mask & pg.BYTES else None), bytes(value)
        case uuid.UUID():
            return ("String" if mask & pg.STRING else None), str(value)
        case {"$type": str(tag)} if _MASK_OF_TAG.get(tag, 0) & mask:
            return ("Float" if tag == "Decimal" else tag), decode(value)
        case _:
            return None, value


def decode(tagged: Mapping[str, Any]) -> Any:
    """The Python value of a tagged scalar."""
    value = tagged["value"]
    match tagged["$type"]:
        case "DateTime":
            return parse_datetime(value) if isinstance(value, str) else as_datetime(value)
        case "BigInt":
            return int(value)
        case "Decimal":
            return Decimal(str(value))
        case "Bytes":
            return base64.b64decode(value) if isinstance(value, str) else bytes(value)
        case "Json":
            return value if isinstance(value, str) else json_text(value)
        case _:
            return value


def constant(value: Any) -> Any:  # noqa: PLR0911, PLR0912 - one answer a type
    """A value as the JSON protocol writes it, for the positions that stay in the shape."""
    match value:
        case None | bool() | str() if type(value) in {type(None), bool, str}:
            return value
        case enum.Enum():
            return constant(value.value)
        case int():
            if abs(value) <= MAX_SAFE_INTEGER:
                return int(value)
            return {"$type": "BigInt", "value": str(int(value))}
        case float():
            if not math.isfinite(value):
                raise InputError(f"{value!r} is not a number that can stand here.")
            return value
        case Mapping():
            if "$type" in value:
                inner = value["value"]  # pyright: ignore[reportUnknownVariableType]
                if not isinstance(inner, (str, int, float, bool, dict, list, type(None))):
                    return constant(decode(value))  # pyright: ignore[reportUnknownArgumentType]
                return value  # pyright: ignore[reportUnknownVariableType]
            return {key: constant(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple():
            return [constant(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case datetime() | date():
            moment = as_datetime(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return {"$type": "DateTime", "value": moment}
        case Decimal():
            return {"$type": "Decimal", "value": str(value)}
        case bytes() | bytearray():
            return {"$type": "Bytes", "value": base64.b64encode(value).decode()}
        case uuid.UUID() | str():
            return str(value)
        case _:
            raise InputError(f"A value of type {type(value).__name__} cannot be part of an operation: {value!r}.")


def as_datetime(value: date) -> datetime:
    """A date or datetime as an aware datetime in UTC; a naive one is taken as UTC already."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _widest(found: list[tuple[str | None, Any]]) -> str:
    """One type for all elements of a list: the widest of numbers, else `Any`."""
    kinds = {kind or "Any" for kind, _ in found}
    if len(kinds) == 1:
        return kinds.pop()
    return max(kinds, key=_WIDTH.__getitem__) if kinds <= _WIDTH.keys() else "Any"
