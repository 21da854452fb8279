"""Answers that are one JSON value of a given schema: what the model is told, and whether it did.

The schema comes from a client, so it is never followed out of the process and its patterns run in linear time.
"""

from __future__ import annotations

import json
from typing import Any, cast

import jsonschema_rs

from agent.llm.errors import MalformedAnswer
from agent.llm.schemas import inline_references

MAX_SCHEMA = 20_000  # characters of JSON

# Keywords that llama.cpp, xgrammar and Ollama all hold a model to.
_DECODED = frozenset(
    "type items anyOf oneOf allOf additionalProperties minItems maxItems minLength maxLength minimum maximum "
    "prefixItems".split()
)

Schema = dict[str, Any] | bool


class UnusableSchema(ValueError):
    """It is no JSON schema, refers outside itself, or is too large. The message may be shown."""


def check_schema(schema: Schema) -> None:
    """Raises `UnusableSchema` unless answers can be validated by it."""
    if len(json.dumps(schema)) > MAX_SCHEMA:
        raise UnusableSchema(f"The schema is longer than {MAX_SCHEMA} characters.")
    try:
        _validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
        first = str(error).strip().partition("\n")[0]
        raise UnusableSchema(f"The schema cannot be used: {first[:300]}") from None


def check_answer(text: str, schema: Schema) -> str:
    """The answer as compact JSON.

    Raises:
        MalformedAnswer: It is not JSON, or not what the schema accepts.
    """
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedAnswer("The model's answer is not JSON, which was asked for.") from None
    for error in _validator(schema).iter_errors(value):
        where = "/".join(map(str, error.instance_path))
        raise MalformedAnswer(f"The model's answer is not what the schema asks for, at /{where}: {error.message[:200]}")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def demand(schema: Schema) -> str:
    """What a model is told that calls tools by itself; others are held to the schema by their decoder."""
    return (
        "Your final answer must be one JSON value, with nothing before or after it, that this JSON schema accepts: "
        + json.dumps(schema, ensure_ascii=False)
    )


def decodable(schema: Schema) -> dict[str, Any]:
    """The schema as far as every constrained decoder takes it; the answer is validated by the whole one anyway."""
    if isinstance(schema, bool):
        return {}
    try:
        return _plain(inline_references(schema))
    except (ValueError, KeyError, RecursionError):  # it contains itself, or refers to what is not in `$defs`
        return {}


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(inner) for inner in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", schema).items():
        if key == "properties":
            kept[key] = {name: _plain(inner) for name, inner in value.items()}
        elif key in ("enum", "const", "required"):
            kept[key] = value
        elif key in _DECODED:
            kept[key] = _plain(value)
    return kept


def _validator(schema: Schema) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        schema, offline=True, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    )
