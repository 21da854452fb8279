"""The part of Prisma's DMMF that the generator reads, merged over the databases that the client is to serve.

The DMMF of one schema differs a little between databases: PostgreSQL has `mode` on text filters and `skipDuplicates`,
SQLite has `path` of a Json filter as a text. The merged one allows what any of them does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TypeRef:
    """One of the types that a place accepts."""

    name: str
    location: str  # scalar, inputObjectTypes, outputObjectTypes, enumTypes or fieldRefTypes
    namespace: str | None
    is_list: bool


@dataclass(frozen=True, slots=True)
class InputField:
    """A key of an input type, or an argument of an operation."""

    name: str
    required: bool
    types: tuple[TypeRef, ...]


@dataclass(frozen=True, slots=True)
class InputType:
    """A dict that Prisma accepts."""

    name: str
    model: str | None  # the model it belongs to; None for what all models share
    fields: tuple[InputField, ...]
    one_of: tuple[str, ...]  # fields of which at least one must be given


@dataclass(frozen=True, slots=True)
class ModelField:
    """A field of a model: a column, or a relation."""

    name: str
    kind: str  # scalar, enum or object
    type: str
    is_list: bool
    required: bool
    documentation: str | None


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the schema."""

    name: str
    fields: tuple[ModelField, ...]
    compound_uniques: Mapping[str, tuple[str, ...]]
    documentation: str | None

    @property
    def columns(self) -> list[ModelField]:
        return [field for field in self.fields if field.kind != "object"]

    @property
    def relations(self) -> list[ModelField]:
        return [field for field in self.fields if field.kind == "object"]


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enum of the schema."""

    name: str
    values: tuple[str, ...]
    documentation: str | None


@dataclass(frozen=True, slots=True)
class Dmmf:
    """What the client is generated from."""

    models: tuple[Model, ...]
    enums: tuple[EnumType, ...]
    inputs: Mapping[str, InputType]
    operations: Mapping[str, Mapping[str, InputField]]  # operation, such as findManyUser -> argument
    outputs: Mapping[str, Mapping[str, TypeRef]]  # output type -> field
    prisma_enums: Mapping[str, tuple[str, ...]]
    field_refs: Mapping[str, TypeRef]  # name of the reference -> what it refers to


def merge(documents: Sequence[Mapping[str, Any]]) -> Dmmf:
    """One view of the DMMF of the same schema for several databases."""
    datamodel = documents[0]["datamodel"]
    inputs: dict[str, InputType] = {}
    operations: dict[str, dict[str, InputField]] = {}
    outputs: dict[str, dict[str, TypeRef]] = {}
    prisma_enums: dict[str, tuple[str, ...]] = {}
    field_refs: dict[str, TypeRef] = {}
    for document in documents:
        schema = document["schema"]
        for raw in schema["inputObjectTypes"].get("prisma", []):
            _add_input(inputs, raw)
        for raw in [*schema["outputObjectTypes"].get("prisma", []), *schema["outputObjectTypes"].get("model", [])]:
            if raw["name"] in ("Query", "Mutation"):
                for field in raw["fields"]:
                    known = operations.setdefault(field["name"], {})
                    for argument in field["args"]:
                        _add_field(known, argument)
            else:
                fields = {field["name"]: _type_ref(field["outputType"]) for field in raw["fields"]}
                outputs.setdefault(raw["name"], {}).update(fields)
        for raw in schema["enumTypes"].get("prisma", []):
            values = dict.fromkeys([*prisma_enums.get(raw["name"], ()), *_values(raw)])
            prisma_enums[raw["name"]] = tuple(values)
        for raw in schema["fieldRefTypes"].get("prisma", []):
            field_refs[raw["name"]] = _type_ref(raw["allowTypes"][0])
    return Dmmf(
        models=tuple(map(_model, datamodel["models"])),
        enums=tuple(_enum(raw) for raw in datamodel["enums"]),
        inputs=inputs,
        operations=operations,
        outputs=outputs,
        prisma_enums=prisma_enums,
        field_refs=field_refs,
    )


def _values(raw: Mapping[str, Any]) -> list[str]:
    """Names of an enum; those of `JsonNullValueInput` and its like stand under `data`."""
    return raw["values"] if "values" in raw else [str(item["key"]) for item in raw["data"]]


def _type_ref(raw: Mapping[str, Any]) -> TypeRef:
    return TypeRef(raw["type"], raw["location"], raw.get("namespace"), raw["isList"])


def _add_field(known: dict[str, InputField], raw: Mapping[str, Any]) -> None:
    types = [_type_ref(item) for item in raw["inputTypes"]]
    required = bool(raw["isRequired"])
    before = known.get(raw["name"])
    if before is not None:
        types = list(dict.fromkeys([*before.types, *types]))
        required = required and before.required
    known[raw["name"]] = InputField(raw["name"], required, tuple(types))


def _add_input(inputs: dict[str, InputType], raw: Mapping[str, Any]) -> None:
    known = {field.name: field for field in inputs[raw["name"]].fields} if raw["name"] in inputs else {}
    for field in raw["fields"]:
        _add_field(known, field)
    model: str | None = raw["meta"].get("grouping") if "meta" in raw else None
    if raw["name"].endswith("FieldUpdateOperationsInput"):
        model = None  # shared, though the DMMF counts it to the first model that uses it
    limits: Mapping[str, Any] = raw.get("constraints") or {}
    one_of = tuple(limits.get("fields") or ()) if limits.get("minNumFields") else ()
    inputs[raw["name"]] = InputType(raw["name"], model, tuple(known.values()), one_of)


def _model(raw: Mapping[str, Any]) -> Model:
    keys = [raw["primaryKey"]] if raw.get("primaryKey") else []
    keys += [{"name": index.get("name"), "fields": index["fields"]} for index in raw.get("uniqueIndexes", [])]
    uniques = {key["name"] or "_".join(key["fields"]): tuple(key["fields"]) for key in keys}
    return Model(
        name=raw["name"],
        fields=tuple(_field(field) for field in raw["fields"]),
        compound_uniques={name: fields for name, fields in uniques.items() if len(fields) > 1},
        documentation=raw.get("documentation"),
    )


def _field(raw: Mapping[str, Any]) -> ModelField:
    return ModelField(
        name=raw["name"],
        kind=raw["kind"],
        type=raw["type"],
        is_list=raw["isList"],
        required=raw["isRequired"],
        documentation=raw.get("documentation"),
    )


def _enum(raw: Mapping[str, Any]) -> EnumType:
    return EnumType(raw["name"], tuple(value["name"] for value in raw["values"]), raw.get("documentation"))
