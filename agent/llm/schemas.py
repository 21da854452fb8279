"""JSON schemas for servers that read only part of the language."""

from __future__ import annotations

from typing import Any, cast


def inline_references(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema without `$defs`: each `$ref` replaced by what it names.

    Raises:
        ValueError: A definition contains itself, so it cannot be written out.
    """
    definitions = cast("dict[str, Any]", schema.get("$defs", {}))
    return cast("dict[str, Any]", _inline(schema, definitions, ()))


def _inline(node: object, definitions: dict[str, Any], inside: tuple[str, ...]) -> object:
    if isinstance(node, list):
        return [_inline(item, definitions, inside) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    members = cast("dict[str, object]", node)
    rest = {key: _inline(value, definitions, inside) for key, value in members.items() if key not in ("$defs", "$ref")}
    reference = members.get("$ref")
    if not isinstance(reference, str):
        return rest
    name = reference.removeprefix("#/$defs/")
    if name in inside:
        raise ValueError(f"the schema {name!r} contains itself")
    return cast("dict[str, object]", _inline(definitions[name], definitions, (*inside, name))) | rest
