"""Their function docs as our schemas, our calls as their answers, and what stands between: the text that is decoded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent.grounding.schema import call as step_of
from agent.messages import ToolCall
from evals.outside.bfcl.theirs import Answer, Row

MAX_CALLS = 12
MAX_TEXT = 400  # characters of a free text argument
MAX_ITEMS = 24
_TYPES = {
    "string": "string",
    "any": "string",  # as their checker takes it
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "dict": "object",
    "array": "array",
    "tuple": "array",
}

Json = dict[str, Any]


class Malformed(ValueError):
    """The text is no list of calls."""


def arguments_schema(parameters: Mapping[str, Any]) -> Json:
    """A function's parameters as JSON Schema, bounded for a constrained decoder."""
    kind = _TYPES[parameters.get("type", "string")]
    if "enum" in parameters and kind not in ("array", "object"):
        return {"enum": list(parameters["enum"])}
    match kind:
        case "object":
            return _object(parameters)
        case "array":
            items = arguments_schema(parameters.get("items", {}))
            return {"type": "array", "items": items, "maxItems": MAX_ITEMS}
        case "string":
            return {"type": "string", "maxLength": MAX_TEXT}
        case _:
            return {"type": kind}


def _object(parameters: Mapping[str, Any]) -> Json:
    properties = cast("Mapping[str, Any]", parameters.get("properties") or {})
    if not properties:
        return {"type": "object"}
    return {
        "type": "object",
        "properties": {name: arguments_schema(inner) for name, inner in properties.items()},
        "required": [name for name in parameters.get("required", ()) if name in properties],
        "additionalProperties": False,
    }


def step_schema(row: Row) -> Json:
    """What may be decoded for a row: one call where one is asked for, else several. Names stay as they are."""
    steps = [step_of(function["name"], arguments_schema(function["parameters"])) for function in row.functions]
    most = MAX_CALLS if "parallel" in row.category else 1
    calls = {"type": "array", "items": {"anyOf": steps}, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "properties": {"calls": calls},
        "required": ["calls"],
        "additionalProperties": False,
    }


def written(calls: Sequence[ToolCall]) -> str:
    """Calls as a model writes them under `step_schema`."""
    return json.dumps({"calls": [{call.tool: call.arguments} for call in calls]}, ensure_ascii=False)


def read(text: str) -> list[ToolCall]:
    """The calls in a decoded text.

    Raises:
        Malformed: It is none.
    """
    try:
        listed = json.loads(text)["calls"]
        pairs = [next(iter(one.items())) for one in listed]
        return [ToolCall(id=f"call_{n}", tool=tool, arguments=given) for n, (tool, given) in enumerate(pairs, 1)]
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration) as error:
        raise Malformed(f"no calls in {text[:80]!r}") from error


def to_theirs(calls: Sequence[ToolCall]) -> list[Answer]:
    """Our calls in the form that their checker takes. Values stay as they were decoded."""
    return [{call.tool: call.arguments} for call in calls]
