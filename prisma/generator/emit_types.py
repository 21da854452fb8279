"""Writes `types/`: every dict that Prisma accepts for the schema, as a TypedDict."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prisma.generator import names
from prisma.generator.dmmf import Dmmf, InputType, Model
from prisma.generator.python_types import InputTypes, column, value_of
from prisma.generator.source import Fields, header, literal, typed_dict

IMPORTS = """
import datetime
import decimal
from collections.abc import Sequence
from typing import Any, Literal, Required, TypeAlias, TypedDict

from prisma.runtime.fields import AnyNullType, DbNullType, FieldRef, JsonInput, JsonNullType
"""
INIT_DOC = (
    "Types of what is passed to the client. For annotations: no query needs them, and each is loaded when asked for."
)
INIT = """
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
{stars}
# Start of a name -> the module where such names are; the longest start first.
_MODULES = {modules!r}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if not name.startswith("_"):
            for start, module in _MODULES.items():
                if name.startswith(start):
                    found = vars(importlib.import_module(f"{{__name__}}.{{module}}"))
                    if name in found:
                        return found[name]
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
"""
FAMILIES = (
    re.compile(r"^(Unchecked)?Create(Many\w*|Without\w+)?Input$"),
    re.compile(r"^(Unchecked)?Update(Many\w*|Without\w+)?Input$"),
    re.compile(r"^(Where|WhereUnique|ScalarWhere)Input$"),
)
NOT_DATA = re.compile(r"Nested|WithWhere|OrConnect|Envelope|ManyWithout\w+NestedInput")
AGGREGATES = ("Avg", "Sum", "Min", "Max")


def emit_types(dmmf: Dmmf, package: str) -> dict[str, str]:
    """File name -> source."""
    kinds = InputTypes(dmmf)
    by_model: dict[str | None, list[InputType]] = {}
    for item in dmmf.inputs.values():
        by_model.setdefault(item.model, []).append(item)
    files = {"shared.py": _shared(dmmf, kinds, by_model.get(None, []), package)}
    for model in dmmf.models:
        files[f"{names.module(model.name)}.py"] = _model(dmmf, kinds, model, by_model.get(model.name, []), package)
    defined = {name: _defined(source) for name, source in files.items()}
    home = {item: file for file, items in defined.items() for item in items}
    linked = {name: _link(source, name, home, package) for name, source in files.items()}
    modules = {model.name: names.module(model.name) for model in dmmf.models}
    starts = sorted(modules, key=lambda model: (-len(model), model))
    by_start = {start: modules[start] for start in starts} | {"": "shared"}
    stars = "".join(f"    from {package}.types.{name} import *  # noqa: F403\n" for name in by_start.values())
    linked["__init__.py"] = header(INIT_DOC) + INIT.format(stars=stars, modules=by_start)
    return linked


def _defined(source: str) -> list[str]:
    return re.findall(r"^(?:class )?([A-Z]\w*)(?=\(TypedDict|\(_|\(\w+Args|:\n| = TypedDict|: TypeAlias)", source, re.M)


def _link(source: str, own: str, home: dict[str, str], package: str) -> str:
    """Import what the module names and others define. They name each other in a circle, so for type checkers only."""
    used = set(re.findall(r"\b[A-Z]\w*\b", source))
    needed: dict[str, list[str]] = {}
    for name in sorted(used):
        if home.get(name, own) != own:
            needed.setdefault(home[name], []).append(name)
    if not needed:
        return source
    lines = "".join(
        f"    from {package}.types.{file.removesuffix('.py')} import {', '.join(items)}\n"
        for file, items in sorted(needed.items())
    )
    return source.replace("\n#>links\n", f"\nif TYPE_CHECKING:\n{lines}").replace(
        "from typing import Any", "from typing import TYPE_CHECKING, Any"
    )


def _start(doc: str, dmmf: Dmmf, package: str) -> str:
    enums = f"from {package}.enums import {', '.join(sorted(item.name for item in dmmf.enums))}\n" if dmmf.enums else ""
    return header(doc) + IMPORTS + enums + "\n#>links\n\n"


def _shared(dmmf: Dmmf, kinds: InputTypes, inputs: list[InputType], package: str) -> str:
    out = _start("Types that several models share: filters, updates of a column, orders.", dmmf, package)
    for name in ("SortOrder", "NullsOrder", "QueryMode"):
        if name in dmmf.prisma_enums:
            out += f"{name}: TypeAlias = {literal(dmmf.prisma_enums[name])}\n"
    for enum in dmmf.enums:
        out += f"{enum.name}Like: TypeAlias = {enum.name} | {literal(enum.values)}\n"
    return out + "\n\n" + "".join(_input(kinds, item) for item in sorted(inputs, key=lambda item: item.name))


def _model(dmmf: Dmmf, kinds: InputTypes, model: Model, inputs: list[InputType], package: str) -> str:
    out = _start(f"Types of what is passed to the actions of {model.name}.", dmmf, package)
    out += f"{model.name}ScalarFieldKeys: TypeAlias = {literal(field.name for field in model.columns)}\n\n\n"
    out += "".join(_choices(dmmf, model))
    out += "".join(_outputs(dmmf, model))
    bases, base_of = _bases(kinds, model, inputs)
    out += bases
    for item in inputs:
        out += _input(kinds, item, base_of.get(item.name))
    return out + _upsert(dmmf, kinds, model)


def fields_of(kinds: InputTypes, item: InputType) -> dict[str, tuple[str, bool]]:
    """Python's keys of an input type."""
    return {names.key(item.name, field.name): (kinds.union(field.types), field.required) for field in item.fields}


def _input(kinds: InputTypes, item: InputType, base: tuple[str, Fields] | None = None) -> str:
    fields = fields_of(kinds, item)
    name, inherited = base or ("TypedDict", dict[str, tuple[str, bool]]())
    own = {key: kind for key, kind in fields.items() if key not in inherited}
    if not item.one_of:
        return typed_dict(item.name, own, base=name)
    variants = {
        key: {field: (kind, field == key) for field, (kind, _) in own.items()} for key in item.one_of if key in own
    }
    if len(variants) == 1:
        return typed_dict(item.name, next(iter(variants.values())), base=name)
    # A dict for each key, so that a type checker misses the key where there is none.
    names_of = {key: f"_{item.name}By{number}" for number, key in enumerate(variants, start=1)}
    source = "".join(typed_dict(names_of[key], variant, base=name) for key, variant in variants.items())
    return source + f"{item.name}: TypeAlias = {' | '.join(names_of.values())}\n\n\n"


def _bases(kinds: InputTypes, model: Model, inputs: list[InputType]) -> tuple[str, dict[str, tuple[str, Fields]]]:
    """What the members of a family have in common is written once."""
    out, base_of = "", dict[str, tuple[str, Fields]]()
    for number, family in enumerate(FAMILIES):
        members = {
            item.name: fields_of(kinds, item)
            for item in inputs
            if family.match(item.name.removeprefix(model.name)) and not NOT_DATA.search(item.name)
        }
        if len(members) < 2:
            continue
        first, *others = members.values()
        common = {key: kind for key, kind in first.items() if all(other.get(key) == kind for other in others)}
        source = typed_dict(f"_{model.name}{('Create', 'Update', 'Where')[number]}", common)
        if len(common) < 2 or " = TypedDict(" in source:
            continue
        out += source
        base_of |= dict.fromkeys(members, (f"_{model.name}{('Create', 'Update', 'Where')[number]}", common))
    return out, base_of


def _choices(dmmf: Dmmf, model: Model) -> Iterator[str]:
    """What a query can be told to return."""
    name = model.name
    lists = [field for field in model.relations if field.is_list]
    related = {
        field.name: (
            "bool | " + (f"FindMany{field.type}Args" if field.is_list else _to_one(field.type, field.required)),
            False,
        )
        for field in model.relations
    }
    if lists:
        counted = {field.name: (f"bool | {field.type}CountArgs", False) for field in lists}
        yield typed_dict(f"{name}CountSelect", counted)
        yield typed_dict(f"{name}CountSelectArgs", {"select": (f"{name}CountSelect", True)})
        related["_count"] = (f"bool | {name}CountSelectArgs", False)
    columns = {field.name: ("bool", False) for field in model.columns}
    yield typed_dict(f"{name}Include", related, doc="Relations to return with the record.")
    yield typed_dict(f"{name}Select", columns | related, doc="Fields and relations to return, and no others.")
    yield typed_dict(f"{name}Omit", columns, doc="Fields not to return.")
    own = {
        "include": (f"{name}Include", False),
        "select": (f"{name}Select", False),
        "omit": (f"{name}Omit", False),
    }
    where = (f"{name}WhereInput", False)
    order = argument_item(dmmf, f"findMany{name}", "orderBy")
    yield typed_dict(f"{name}Args", own)
    yield typed_dict(f"{name}OptionalArgs", {"where": where}, base=f"{name}Args")
    yield typed_dict(f"{name}CountArgs", {"where": where})
    page: Fields = {
        "where": where,
        "order_by": (f"{order} | Sequence[{order}]", False),
        "take": ("int", False),
        "skip": ("int", False),
        "distinct": (f"Sequence[{name}ScalarFieldKeys]", False),
    }
    unique: Fields = {"cursor": (f"{name}WhereUniqueInput", False)} if f"{name}WhereUniqueInput" in dmmf.inputs else {}
    yield typed_dict(f"FindMany{name}Args", {**page, **unique}, base=f"{name}Args")


def _to_one(model: str, required: bool) -> str:
    return f"{model}Args" if required else f"{model}OptionalArgs"


def argument_item(dmmf: Dmmf, operation: str, argument: str) -> str:
    """The type that an argument takes one of, or a list of: `UserOrderByWithRelationInput`."""
    return next(ref.name for ref in dmmf.operations[operation][argument].types if not ref.is_list)


def _outputs(dmmf: Dmmf, model: Model) -> Iterator[str]:
    """What aggregates take and return. A result has the keys that were asked for; its type has them all."""
    name = model.name
    counted = [field.name for field in model.columns]
    yield typed_dict(f"{name}CountAggregateInput", dict.fromkeys([*counted, "_all"], ("bool", False)))
    yield typed_dict(f"{name}CountAggregateOutput", dict.fromkeys([*counted, "_all"], ("int", True)))
    result: dict[str, tuple[str, bool]] = {"_count": (f"{name}CountAggregateOutput", True)}
    for kind in AGGREGATES:
        found = dmmf.outputs.get(f"{name}{kind}AggregateOutputType")
        if found is None:
            continue
        if kind in ("Avg", "Min"):
            wanted = f"{name}{'Number' if kind == 'Avg' else 'Column'}AggregateInput"
            yield typed_dict(wanted, dict.fromkeys(found, ("bool", False)))
        values = {key: (f"{value_of(ref.name)} | None", True) for key, ref in found.items()}
        yield typed_dict(f"{name}{kind}AggregateOutput", values)
        result[f"_{kind.lower()}"] = (f"{name}{kind}AggregateOutput", True)
    yield typed_dict(f"{name}AggregateOutput", result)
    grouped = {field.name: (column(field), True) for field in model.columns}
    yield typed_dict(f"{name}GroupByOutput", grouped | result)
    refs = ""
    for field in model.columns:
        base = value_of(field.type)
        refs += f"    {names.attribute(field.name)}: FieldRef[{f'list[{base}]' if field.is_list else base}]\n"
    yield f"class {name}FieldRefs:\n{refs}\n\n"


def _upsert(dmmf: Dmmf, kinds: InputTypes, model: Model) -> str:
    operation = dmmf.operations.get(f"upsertOne{model.name}")
    if operation is None:
        return ""
    fields = {name: (kinds.union(operation[name].types), True) for name in ("create", "update")}
    return typed_dict(f"{model.name}UpsertInput", fields, doc="What to create, or to change where it exists.")
