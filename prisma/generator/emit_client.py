"""Writes `schema.py`, `actions.py` and `client.py`: the client itself."""

from __future__ import annotations

from prisma.generator import names
from prisma.generator.dmmf import Dmmf, Model
from prisma.generator.emit_types import argument_item
from prisma.generator.python_types import InputTypes
from prisma.generator.source import header, subscript
from prisma.runtime.schema import ModelSpec

CLIENT = '''
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prisma.runtime.batch import BaseBatch
from prisma.runtime.client import BasePrisma
from prisma.runtime.session import Vocabularies
from {package}.enums import ENUMS
from {package}.schema import SCHEMA

if TYPE_CHECKING:
    from {package} import actions

SCHEMA_PATH = (Path(__file__).parent / {schema_path!r}).resolve()


def _rows(model: str, variant: str) -> Any:
    from {package}.models import ROWS  # builds pydantic models: only once a query needs them

    return ROWS[model][("plain", "included", "partial").index(variant)]


class Batch(BaseBatch):
    """Writes that are collected and happen together: all of them, or none."""

{batches}

class Prisma(BasePrisma[Batch]):
    """The database, with one attribute for each model."""

    _vocabularies = Vocabularies(SCHEMA, _rows, ENUMS)
    _schema_path = SCHEMA_PATH
    _batch_class = Batch

{actions}'''


def emit_schema(dmmf: Dmmf) -> str:
    """Source of `schema.py`."""
    out = header("What the runtime knows of the schema.") + "\nfrom prisma.runtime.schema import ModelSpec, Schema\n\n"
    out += "SCHEMA: Schema = {\n"
    for model in dmmf.models:
        out += f"    {model.name!r}: {_source(specification(model))},\n"
    return out + "}\n"


def specification(model: Model) -> ModelSpec:
    """What the runtime is told of a model."""
    renamed = {field.name: names.attribute(field.name) for field in model.fields}
    return ModelSpec(
        name=model.name,
        accessor=names.accessor(model.name),
        scalars={field.name: field.type for field in model.columns},
        relations={field.name: (field.type, "many" if field.is_list else "one") for field in model.relations},
        uniques=dict(model.compound_uniques),
        lists=frozenset(field.name for field in model.columns if field.is_list),
        attributes={field: name for field, name in renamed.items() if field != name},
    )


def _source(spec: ModelSpec) -> str:
    parts = [f"name={spec.name!r}", f"accessor={spec.accessor!r}", f"scalars={spec.scalars!r}"]
    for key in ("relations", "uniques", "attributes"):
        if getattr(spec, key):
            parts.append(f"{key}={getattr(spec, key)!r}")
    if spec.lists:
        parts.append(f"lists=frozenset({sorted(spec.lists)!r})")
    return f"ModelSpec({', '.join(parts)},)"


def emit_actions(dmmf: Dmmf, package: str) -> str:
    """Source of `actions.py`: what each model's attribute takes and returns. For type checkers."""
    out = header("The types of `db.<model>` and of the same attribute of a batch.")
    out += "\nfrom typing import Never, TypeAlias\n\nfrom prisma.runtime.actions import Actions\n"
    out += "from prisma.runtime.batch import BatchActions\n"
    out += f"from {package} import models as m\nfrom {package} import types as t\n\n"
    kinds = InputTypes(dmmf)
    for model in dmmf.models:
        out += f"{model.name}Actions: TypeAlias = {subscript('Actions', _arguments(dmmf, kinds, model))}\n"
        batch = subscript("BatchActions", _batch_arguments(dmmf, kinds, model))
        out += f"{model.name}BatchActions: TypeAlias = {batch}\n"
    return out


def _arguments(dmmf: Dmmf, kinds: InputTypes, model: Model) -> list[str]:
    """In the order of the parameters of `prisma.runtime.actions.Actions`."""
    name = model.name
    numbers = f"t.{name}NumberAggregateInput" if f"{name}AvgAggregateOutputType" in dmmf.outputs else "Never"
    columns = f"t.{name}ColumnAggregateInput" if f"{name}MinAggregateOutputType" in dmmf.outputs else "Never"
    return [
        f"m.{name}",
        f"m.{name}WithRelations",
        f"m.{name}Partial",
        f"t.{name}ScalarFieldKeys",
        f"t.{name}FieldRefs",
        _argument(dmmf, kinds, f"findMany{name}", "where"),
        _argument(dmmf, kinds, f"findUnique{name}", "where"),
        f"t.{argument_item(dmmf, f'findMany{name}', 'orderBy')}",
        f"t.{name}Include",
        f"t.{name}Select",
        f"t.{name}Omit",
        _argument(dmmf, kinds, f"createOne{name}", "data"),
        _argument(dmmf, kinds, f"createMany{name}", "data", one=True),
        _argument(dmmf, kinds, f"updateOne{name}", "data"),
        _argument(dmmf, kinds, f"updateMany{name}", "data"),
        f"t.{name}UpsertInput" if f"upsertOne{name}" in dmmf.operations else "Never",
        f"t.{name}CountAggregateInput",
        f"t.{name}CountAggregateOutput",
        numbers,
        columns,
        _argument(dmmf, kinds, f"groupBy{name}", "having"),
        f"t.{argument_item(dmmf, f'groupBy{name}', 'orderBy')}",
        f"t.{name}AggregateOutput",
        f"t.{name}GroupByOutput",
    ]


def _batch_arguments(dmmf: Dmmf, kinds: InputTypes, model: Model) -> list[str]:
    """In the order of the parameters of `prisma.runtime.batch.BatchActions`."""
    name = model.name
    return [
        _argument(dmmf, kinds, f"findMany{name}", "where"),
        _argument(dmmf, kinds, f"findUnique{name}", "where"),
        _argument(dmmf, kinds, f"createOne{name}", "data"),
        _argument(dmmf, kinds, f"createMany{name}", "data", one=True),
        _argument(dmmf, kinds, f"updateOne{name}", "data"),
        _argument(dmmf, kinds, f"updateMany{name}", "data"),
        f"t.{name}UpsertInput" if f"upsertOne{name}" in dmmf.operations else "Never",
    ]


def _argument(dmmf: Dmmf, kinds: InputTypes, operation: str, argument: str, *, one: bool = False) -> str:
    """The type of an argument; `Never` where the model lacks the operation, as a view does."""
    found = dmmf.operations.get(operation)
    if found is None:
        return "Never"
    refs = tuple(ref for ref in found[argument].types if not (one and ref.is_list))
    return " | ".join(f"t.{part}" for part in kinds.union(refs).split(" | "))


def emit_client(dmmf: Dmmf, package: str, schema_path: str) -> str:
    """Source of `client.py`."""
    accessors = {names.accessor(model.name): model.name for model in dmmf.models}
    return header("The client.") + CLIENT.format(
        package=package,
        schema_path=schema_path,
        batches="".join(f"    {key}: actions.{model}BatchActions\n" for key, model in accessors.items()),
        actions="".join(f"    {key}: actions.{model}Actions\n" for key, model in accessors.items()),
    )
