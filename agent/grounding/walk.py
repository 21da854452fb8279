"""Values beside the schema that types them: of a tool's arguments and of its results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

from pydantic import BaseModel

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: where it is (`lines[0].price`), its `x-value` mark if it has one, and the object that holds it.

    `numeric`: its type is a number, in whatever form it is written. `default`: it is what the schema has without it.
    `others`: in a result, strangers wrote it (`x-origin: document` on it or around it), whatever else the record says.
    """

    path: str
    value: str | int | float | bool
    mark: str | None
    holder: Json
    holder_schema: Json
    numeric: bool = False
    default: bool = False
    others: bool = False

    @property
    def field(self) -> str:
        return self.path.rpartition(".")[2].partition("[")[0]


@cache
def schema_of(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> Json:
    """The model's JSON schema with every `$ref` replaced by what it names. The models of tools are not recursive."""
    schema = model.model_json_schema(mode=mode)
    definitions = schema.pop("$defs", {})
    return cast("Json", _inline(schema, definitions))


def _inline(node: Any, definitions: Json) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("Json", node)
    if "$ref" in found:
        target = definitions[str(found["$ref"]).rpartition("/")[2]]
        siblings = {key: value for key, value in found.items() if key != "$ref"}
        return _inline({**target, **siblings}, definitions)
    return {key: _inline(value, definitions) for key, value in found.items()}


def leaves(value: Any, schema: Json) -> Iterator[Leaf]:
    """Every scalar in `value` (JSON as python objects) with what `schema` says of it; nulls are left out."""
    yield from _leaves(value, schema, "", {}, {})


def by_holder(found: Iterable[Leaf]) -> list[list[Leaf]]:
    """The leaves of each object that holds some."""
    holders: dict[int, list[Leaf]] = {}
    for leaf in found:
        holders.setdefault(id(leaf.holder), []).append(leaf)
    return list(holders.values())


def _leaves(
    value: Any,
    schema: Json,
    path: str,
    holder: Json,
    holder_schema: Json,
    *,
    default: bool = False,
    others: bool = False,
) -> Iterator[Leaf]:
    default = default or _is_default(value, schema)
    others = others or schema.get("x-origin") == "document"
    numeric = _is_numeric(schema)
    schema = _alternative(value, schema)
    if isinstance(value, dict):
        properties: Json = schema.get("properties", {})
        extra = schema.get("additionalProperties")
        other: Json = cast("Json", extra) if isinstance(extra, dict) else {}
        found = cast("Json", value)
        for name, inner in found.items():
            at = f"{path}.{name}" if path else name
            yield from _leaves(inner, properties.get(name, other), at, found, schema, default=default, others=others)
    elif isinstance(value, list):
        items: Json = schema.get("items", {})
        for index, inner in enumerate(cast("list[Any]", value)):
            at = f"{path}[{index}]"
            yield from _leaves(inner, items, at, holder, holder_schema, default=default, others=others)
    elif isinstance(value, str | int | float | bool):
        mark = schema.get("x-value")
        others = others or schema.get("x-origin") == "document"
        yield Leaf(path, value, mark, holder, holder_schema, numeric=numeric, default=default, others=others)


def _is_default(value: Any, schema: Json) -> bool:
    """`True == 1`, but they are not the same argument."""
    return "default" in schema and type(schema["default"]) is type(value) and schema["default"] == value


def _is_numeric(schema: Json) -> bool:
    options: list[Json] = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return any(option.get("type") in ("integer", "number") for option in options)


def _alternative(value: Any, schema: Json) -> Json:
    """Of a union, the member that `value` fits: by its fields for an object, by being marked for a scalar."""
    options: list[Json] = schema.get("anyOf") or schema.get("oneOf") or []
    if not options:
        return schema
    options = [_alternative(value, option) for option in options]
    if isinstance(value, dict):
        keys = set(cast("Json", value))
        fitting = [o for o in options if set(o.get("required", ())) <= keys <= set(o.get("properties", keys))]
    elif isinstance(value, list):
        fitting = [option for option in options if option.get("type") == "array"]
    else:
        fitting = [option for option in options if "x-value" in option]
    return fitting[0] if fitting else {}
