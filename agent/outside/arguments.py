"""From a tool's JSON schema to a pydantic model, with our marks on what names something in the world.

Only plain schemas are taken: objects of texts, numbers, booleans, choices and lists of them. A stranger's tool with
more than that is refused: grounding, policy and a small model could not look at what they cannot read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from agent.outside.config import Mark, OutsideToolsInvalid
from tools.money import Money
from tools.values import Customer, Document, Email, Invoice, Payment, Product, Ref, Url

MARKED: dict[Mark, Any] = {
    "customer": Ref[Customer],
    "product": Ref[Product],
    "document": Ref[Document],
    "invoice": Ref[Invoice],
    "payment": Ref[Payment],
    "email": Email,
    "url": Url,
    "money": Money,
}
_PLAIN: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
MAX_DEPTH = 3
LONGEST = 10_000  # characters of a text, where the schema says nothing


def arguments_model(name: str, schema: Mapping[str, Any], marks: Mapping[str, Mark]) -> type[BaseModel]:
    """The arguments of the tool `name`.

    Raises:
        OutsideToolsInvalid: The schema has more than can be looked at, or no such argument as is marked.
    """
    if unknown := sorted(set(marks) - set(schema.get("properties", {}))):
        raise OutsideToolsInvalid(f"{name}: has no argument {', '.join(unknown)}.")
    return _model(name, schema, schema.get("$defs", {}), marks, depth=0)


def _model(
    name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], marks: Mapping[str, Mark], *, depth: int
) -> type[BaseModel]:
    if depth > MAX_DEPTH:
        raise OutsideToolsInvalid(f"{name}: its arguments are nested more than {MAX_DEPTH} deep.")
    required = set(schema.get("required", ()))
    fields: dict[str, Any] = {}
    for field, inner in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).items():
        if not field.isidentifier() or field.startswith("_"):
            raise OutsideToolsInvalid(f"{name}: its argument {field!r} is not a plain name.")
        kind: Any = (
            MARKED[marks[field]] if field in marks else _type(f"{name}.{field}", inner, definitions, depth=depth)
        )
        about = Field(description=str(inner.get("description", ""))[:500] or None)
        if field in required:
            fields[field] = (Annotated[kind, about], ...)
        else:
            fields[field] = (Annotated[kind | None, about], inner.get("default"))
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _type(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], *, depth: int) -> Any:
    if "$ref" in schema:
        schema = {**definitions.get(str(schema["$ref"]).rpartition("/")[2], {}), **schema}
        return _type(name, {key: value for key, value in schema.items() if key != "$ref"}, definitions, depth=depth + 1)
    if depth > MAX_DEPTH:
        raise OutsideToolsInvalid(f"{name}: is nested more than {MAX_DEPTH} deep.")
    options = [option for option in schema.get("anyOf", schema.get("oneOf", ())) if option.get("type") != "null"]
    if options:
        if len(options) > 1:
            raise OutsideToolsInvalid(f"{name}: may be of several types.")
        return _type(name, options[0], definitions, depth=depth)
    if choices := schema.get("enum"):
        return Literal[tuple(choices)]
    return _plain(name, schema, definitions, depth=depth)


def _plain(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], *, depth: int) -> Any:
    match schema.get("type"):
        case "string":
            return Annotated[str, Field(max_length=min(int(schema.get("maxLength", LONGEST)), LONGEST))]
        case "integer" | "number" | "boolean" as kind:
            return _PLAIN[kind]
        case "array":
            inner = _type(name, schema.get("items", {}), definitions, depth=depth + 1)
            return Annotated[list[inner], Field(max_length=100)]
        case "object" if schema.get("properties"):
            return _model(name.replace(".", "_"), schema, definitions, {}, depth=depth + 1)
        case kind:
            raise OutsideToolsInvalid(f"{name}: its type {kind!r} cannot be looked at.")
