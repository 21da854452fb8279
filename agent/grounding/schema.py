"""JSON schemas for a constrained decoder: small, without `$ref`, and every string and list bounded.

The subset is what all of these take: llama.cpp's json-schema-to-grammar (embedded, llama.cpp server, Ollama's
`format`) and xgrammar, the default of vLLM. So: `anyOf`, `const`, `enum`, `properties` with `required` and
`additionalProperties: false`, `items` with `minItems`/`maxItems`, `minLength`/`maxLength` without a `pattern`
(xgrammar drops the length beside one), integer ranges, `format: date`. llama.cpp refuses a repetition of 2000 and more.

Beside `x-value`, a tool's arguments may say three things that a decoder can hold a model to:

* `x-origin: user` on a property: only values that the person wrote ("only if the user names a price")
* `x-after: check_purchase_order` on a property: only what a result of that tool has named
* `x-one-of: [order, lines]` on an object: exactly one of these properties; the one for what the person has just
  attached, if there is one, so that an order which must be checked is not typed over line by line
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]

MAX_TEXT = 160  # characters of a free text argument
MAX_LINES = 12  # items of a list argument in one step
MAX_ANSWER = 1000  # characters
MAX_CHOICES = 40  # values of one type that the decoder chooses from; the latest are kept

ANSWER: Json = {
    "type": "object",
    "properties": {"answer": {"type": "string", "minLength": 1, "maxLength": MAX_ANSWER}},
    "required": ["answer"],
    "additionalProperties": False,
}


def structured_answer(value: Json | bool) -> Json:
    """The alternative that answers with a JSON value instead of text."""
    properties = {"answer": value}
    return {"type": "object", "properties": properties, "required": ["answer"], "additionalProperties": False}


def call(tool: str, arguments: Json) -> Json:
    """The alternative that calls `tool`: `{"find_customer": {"query": "ACME"}}`, the shortest form there is."""
    return {"type": "object", "properties": {tool: arguments}, "required": [tool], "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a property says of its values: only the person's own; only those that a result of the tool `after` named."""

    users: bool = False
    after: str = ""


class Sources(Protocol):
    """Where values may come from."""

    def values(self, kind: str, limit: Limit) -> list[str]:
        """Wire forms of an `x-value` type that may be written."""
        ...

    def attached(self, kind: str) -> list[str]:
        """Of this type, what the person attached to the present request and what has not proved useless."""
        ...


def narrow(schema: Json, sources: Sources, *, describe: bool = False, limit: Limit = Limit()) -> Json | None:
    """`schema`, which has no `$ref`, with marked values limited to what is known, in the subset above.

    None when it cannot be met: a required value that nothing known holds. An optional one is left out of its object.

    Args:
        schema: Of a tool's arguments, or of a part of them.
        sources: What may be written.
        describe: For a model that reads the schema and not only obeys it: keep descriptions, and one plain object.
        limit: What is said of the property that `schema` stands in.
    """
    if "x-origin" in schema or "x-after" in schema:
        limit = Limit(users=schema.get("x-origin") == "user", after="" if describe else schema.get("x-after", ""))
    narrowed = _narrow(schema, sources, describe, limit)
    if narrowed is not None and describe and "description" in schema:
        narrowed = {**narrowed, "description": schema["description"]}
    return narrowed


def _narrow(schema: Json, sources: Sources, describe: bool, limit: Limit) -> Json | None:  # noqa: PLR0911 one a form
    if "x-value" in schema:
        choices = sources.values(schema["x-value"], limit)[-MAX_CHOICES:]
        return {"type": "string", "enum": choices} if choices else None
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return _union(options, sources, describe, limit)
    if "const" in schema or "enum" in schema:
        return _kept(schema, "type", "const", "enum")
    match schema.get("type"):
        case "object":
            return _object(schema, sources, describe)
        case "array":
            return _array(schema, sources, describe, limit)
        case "string":
            return _string(schema)
        case "integer":
            return _kept(schema, "type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        case "number" | "boolean" as kind:
            return {"type": kind}
        case other:
            raise TypeError(f"A tool's argument of JSON type {other!r} cannot be decoded: {schema}")


def _object(schema: Json, sources: Sources, describe: bool) -> Json | None:
    required: list[str] = schema.get("required", [])
    properties: Json = {}
    for name, inner in schema.get("properties", {}).items():
        narrowed = narrow(inner, sources, describe=describe)
        if narrowed is not None:
            properties[name] = narrowed
        elif name in required:
            return None
    if describe or "x-one-of" not in schema:  # servers want the arguments of a tool to be one object
        return _closed(properties, required)
    return _one_of(schema, properties, required, sources)


def _one_of(schema: Json, properties: Json, required: list[str], sources: Sources) -> Json | None:
    """An object with exactly one of the properties in `x-one-of`."""
    names: list[str] = schema["x-one-of"]
    possible = [name for name in names if name in properties]
    for name in names:
        kinds = [option.get("x-value", "") for option in (schema["properties"][name], *_options(schema, name))]
        if attached := [value for kind in kinds for value in sources.attached(kind)]:
            chosen = [value for value in properties.get(name, {}).get("enum", ()) if value in attached]
            properties = {**properties, name: {"type": "string", "enum": chosen}}
            possible = [name] if chosen else []
            break
    others = [name for name in properties if name not in names]
    return _either(
        [
            _closed({key: properties[key] for key in properties if key in (*others, name)}, [*required, name])
            for name in possible
        ]
    )


def _options(schema: Json, name: str) -> list[Json]:
    return schema["properties"][name].get("anyOf", [])


def _closed(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _array(schema: Json, sources: Sources, describe: bool, limit: Limit) -> Json | None:
    items = narrow(schema["items"], sources, describe=describe, limit=limit)
    if items is None:
        return None
    longest = min(schema.get("maxItems", MAX_LINES), MAX_LINES)
    return {"type": "array", "items": items, "minItems": schema.get("minItems", 0), "maxItems": longest}


def _string(schema: Json) -> Json:
    if schema.get("format") == "date":
        return {"type": "string", "format": "date"}
    longest = min(schema.get("maxLength", MAX_TEXT), MAX_TEXT)
    return {"type": "string", "minLength": schema.get("minLength", 0), "maxLength": longest}


def _union(options: list[Json], sources: Sources, describe: bool, limit: Limit) -> Json | None:
    """A union without its null, and without text where it has a number: pydantic writes a decimal as either."""
    options = [option for option in options if option.get("type") != "null"]
    if any(option.get("type") in ("number", "integer") for option in options):
        options = [option for option in options if option.get("type") != "string" or "x-value" in option]
    narrowed = (narrow(option, sources, describe=describe, limit=limit) for option in options)
    return _either([option for option in narrowed if option is not None])


def _either(possible: list[Json]) -> Json | None:
    if len(possible) > 1:
        return {"anyOf": possible}
    return possible[0] if possible else None


def _kept(schema: Json, *keys: str) -> Json:
    return {key: schema[key] for key in keys if key in schema}
