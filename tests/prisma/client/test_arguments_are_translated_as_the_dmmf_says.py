"""Every key of every input type in Prisma's own schema, through the client's translation.

The client does not carry Prisma's 1,400 input types: `prisma.runtime.inputs` has rules for them. Here each type is
reached from an operation by the shortest way, and each of its keys must come out under Prisma's name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prisma.engine.datasource import with_provider
from prisma.engine.schema_tools import SchemaTools
from prisma.engine.types import Provider
from prisma.generator import merge, names
from prisma.generator.dmmf import Dmmf, InputField, InputType, Model
from prisma.generator.emit_client import specification
from prisma.runtime.fields import AnyNull, DbNull, FieldRef, JsonNull
from prisma.runtime.inputs import Inputs
from prisma.runtime.session import Vocabulary

OURS = Path(names.__file__).parents[1] / "schema.prisma"
EVERYTHING = Path(__file__).parents[1] / "generator" / "everything.prisma"
SCALARS: dict[str, tuple[Any, Any]] = {
    "String": ("text", "text"),
    "Int": (1, 1),
    "BigInt": (2, 2),
    "Float": (1.5, 1.5),
    "Decimal": (3, 3),
    "Boolean": (True, True),
    "DateTime": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    "Bytes": (b"x", b"x"),
    "Json": ({"not_in": {"AND": 1}}, {"$type": "Json", "value": '{"not_in":{"AND":1}}'}),
    "Null": (None, None),
}
NULLS = {"JsonNullValueInput": JsonNull, "NullableJsonNullValueInput": DbNull, "JsonNullValueFilter": AnyNull}
Step = tuple[str, str, bool]  # Python's key, Prisma's key, whether a list stands between

Encode = Callable[[Any], Any]


def dmmf_of(path: Path, *providers: Provider) -> Dmmf:
    tools = SchemaTools()
    return merge([tools.dmmf(with_provider(path.read_text(), provider)) for provider in providers])


def roots(dmmf: Dmmf, model: Model) -> Iterator[tuple[str, Encode]]:
    """Name of an input type at the top of an operation, and how the client translates it."""
    terms = Vocabulary({model.name: specification(model) for model in dmmf.models}, None, {}).terms(model.name)
    encoders: dict[tuple[str, str], Encode] = {
        ("findMany", "where"): terms.where,
        ("findMany", "orderBy"): terms.order,
        ("findMany", "cursor"): terms.unique,
        ("createOne", "data"): terms.create,
        ("createMany", "data"): terms.create_row,
        ("updateOne", "data"): terms.update,
        ("updateMany", "data"): terms.update_rows,
        ("upsertOne", "create"): lambda value: terms.upsert({"create": value})["create"],
        ("upsertOne", "update"): lambda value: terms.upsert({"update": value})["update"],
        ("groupBy", "having"): terms.having,
        ("groupBy", "orderBy"): terms.group_order,
    }
    for (operation, argument), encode in encoders.items():
        arguments = dmmf.operations.get(f"{operation}{model.name}", {})
        for ref in arguments[argument].types if argument in arguments else ():
            if ref.location == "inputObjectTypes":
                yield ref.name, encode


def ways(dmmf: Dmmf, model: Model, seen: set[str]) -> Iterator[tuple[InputType, Encode, list[Step]]]:
    """Each input type not seen before that the model's operations reach, with the shortest way to it."""
    queue = deque((name, encode, list[Step]()) for name, encode in roots(dmmf, model))
    while queue:
        name, encode, steps = queue.popleft()
        if name in seen:
            continue
        seen.add(name)
        item = dmmf.inputs[name]
        yield item, encode, steps
        for field in item.fields:
            for ref in field.types:
                if ref.location == "inputObjectTypes":
                    step = (names.key(name, field.name), field.name, ref.is_list)
                    queue.append((ref.name, encode, [*steps, step]))


def samples(dmmf: Dmmf, field: InputField) -> Iterator[tuple[Any, Any]]:
    """What may stand there in Python, and what it is in Prisma's protocol."""
    for ref in field.types:
        match ref.location:
            case "scalar":
                given, expected = SCALARS[ref.name]
            case "inputObjectTypes":
                given, expected = {}, {}
            case "fieldRefTypes":
                given = FieldRef[Any]("Person", "name")
                expected = {"$type": "FieldRef", "value": {"_ref": "name", "_container": "Person"}}
            case _ if ref.name in NULLS:
                given, expected = NULLS[ref.name], {"$type": "Enum", "value": NULLS[ref.name].value}
            case _:
                given, expected = "word", "word"
        yield ([given], [expected]) if ref.is_list else (given, expected)


def wrapped(steps: list[Step], value: Any, side: int) -> Any:
    for step in reversed(steps):
        value = {step[side]: [value] if step[2] else value}
    return value


def sample_of(dmmf: Dmmf, item: InputType, field: InputField, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """A dict of the type with this field and what else it requires."""
    given, expected = {names.key(item.name, field.name): pair[0]}, {field.name: pair[1]}
    for other in item.fields:
        if other.required and other.name != field.name:
            value = next(samples(dmmf, other))
            given[names.key(item.name, other.name)], expected[other.name] = value
    return given, expected


@pytest.mark.parametrize(
    ("path", "providers"),
    [(OURS, ("sqlite", "postgresql")), (OURS, ("sqlite",)), (EVERYTHING, ("postgresql",))],
    ids=["ours", "ours on sqlite", "everything"],
)
def test_every_key_of_every_input_type_comes_out_under_prismas_name(path: Path, providers: tuple[Provider, ...]):
    dmmf = dmmf_of(path, *providers)
    checked: set[str] = set()
    for model in dmmf.models:
        for item, encode, steps in ways(dmmf, model, checked):
            for field in item.fields:
                for pair in samples(dmmf, field):
                    given, expected = sample_of(dmmf, item, field, pair)
                    assert encode(wrapped(steps, given, 0)) == wrapped(steps, expected, 1), (item.name, steps)
    assert checked == set(dmmf.inputs)


def test_the_words_that_are_spelled_differently_are_all_of_prismas_camel_case_words():
    words = {
        field.name
        for item in dmmf_of(EVERYTHING, "postgresql").inputs.values()
        for field in item.fields
        if field.name != field.name.lower() and field.name not in ("AND", "OR", "NOT", "AND_")
    }
    assert words == set(names.RENAMED)


def test_shapes_are_made_once_for_each_model():
    inputs = Inputs({model.name: specification(model) for model in dmmf_of(EVERYTHING, "postgresql").models})
    assert inputs.where("Person") is inputs.where("Person")
    assert inputs.data("Person", "create", True) is inputs.data("Person", "create", True)
