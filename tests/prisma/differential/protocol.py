"""Between the two clients: what a JavaScript user writes as Prisma's JSON protocol, and results in one form."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

from prisma.engine import JsonQuery
from tests.prisma.differential.operations import ACTIONS, Json

_SELECTION = ("select", "include", "omit")
_AGGREGATES = ("_count", "_avg", "_sum", "_min", "_max")
RECENT = datetime(2026, 1, 1, tzinfo=UTC)  # later than any date that a test writes: the clock's


def json_query(operation: Json, relations: Mapping[str, Mapping[str, str]]) -> JsonQuery:
    """The operation as our engine takes it.

    Args:
        operation: `{"model", "action", "args"}`.
        relations: For each model, the model that each of its relation fields leads to.
    """
    model, action, args = operation["model"], operation["action"], operation["args"]
    plain = {key: value for key, value in args.items() if key not in (*_SELECTION, *_AGGREGATES)}
    if action in ("aggregate", "groupBy"):
        selection: Json = {name: {"selection": args[name]} for name in _AGGREGATES if name in args}
        selection |= dict.fromkeys(args.get("by", ()), True)
    elif action in ("createMany", "updateMany", "deleteMany"):
        selection = {"count": True}
    else:
        selection = _selection(model, args, relations)
    return {
        "modelName": model,
        "action": ACTIONS[action],
        "query": {"arguments": _arguments(plain), "selection": selection},
    }


def _selection(model: str, args: Json, relations: Mapping[str, Mapping[str, str]]) -> Json:
    everything: Json = {"$scalars": True, "$composites": True} if "select" not in args else {}
    everything |= dict.fromkeys(args.get("omit", ()), False)
    picked: Json = args.get("select") or args.get("include") or {}
    for name, value in picked.items():
        everything[name] = _field(relations[model].get(name), name, value, relations)
    return everything


def _field(target: str | None, name: str, value: Any, relations: Mapping[str, Mapping[str, str]]) -> Any:
    if name == "_count":
        counted = {key: _counted(inner) for key, inner in value["select"].items()}
        return {"arguments": {}, "selection": counted}
    if target is None:
        return value
    args: Json = {} if value is True else value
    plain = {key: inner for key, inner in args.items() if key not in _SELECTION}
    return {"arguments": _arguments(plain), "selection": _selection(target, args, relations)}


def _counted(value: Any) -> Any:
    return True if value is True else {"arguments": _arguments(value), "selection": {}}


def _arguments(value: Any) -> Any:
    match value:
        case {"$type": "Null", "value": name}:
            return {"$type": "Enum", "value": name}
        case {"$type": _}:
            return value
        case dict():
            return {key: _arguments(inner) for key, inner in cast("Json", value).items()}
        case list():
            return [_arguments(inner) for inner in cast("list[Any]", value)]
        case _:
            return value


def normal(value: Any) -> Any:
    """A result of either client in one form; what the clock wrote becomes `"<now>"`."""
    match value:
        case {"$type": "BigInt", "value": text}:
            return int(text)
        case {"$type": "Decimal", "value": text}:
            return _decimal(Decimal(text))
        case {"$type": "DateTime", "value": text}:
            return _moment(datetime.fromisoformat(text))
        case {"$type": "Bytes", "value": text}:
            return f"bytes {text}"
        case dict():
            return {key: normal(inner) for key, inner in cast("Json", value).items()}
        case list() | tuple():
            return [normal(inner) for inner in cast("list[Any]", value)]
        case Enum():
            return value.value
        case bytes():
            return f"bytes {base64.b64encode(value).decode()}"
        case Decimal():
            return _decimal(value)
        case datetime():
            return _moment(value)
        case float():
            return int(value) if value.is_integer() else float(f"{value:.12g}")
        case _:
            return value


def _decimal(value: Decimal) -> str:
    return f"decimal {value.normalize():f}" if value else "decimal 0"


def _moment(value: datetime) -> str:
    value = value if value.tzinfo else value.replace(tzinfo=UTC)  # a column of PostgreSQL without a zone holds UTC
    return "<now>" if value > RECENT else f"time {value.astimezone(UTC).isoformat(timespec='milliseconds')}"
