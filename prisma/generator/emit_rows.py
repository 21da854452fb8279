"""Writes `enums.py` and `models/`: what a query returns."""

from __future__ import annotations

from prisma.generator import names
from prisma.generator.dmmf import Dmmf, Model, ModelField
from prisma.generator.python_types import column
from prisma.generator.source import docstring, header

INIT = '''
from typing import Any

{imports}
from prisma.runtime.rows import Row

ROWS: dict[str, tuple[type[Row], type[Row], type[Row]]] = {{
{rows}}}
"""Model -> the classes of its plain rows, of those with relations and of partial ones."""


def _link() -> None:
    """Give every module the classes of the others. Rows name each other in a circle; pydantic looks there for them."""
    rows: dict[str, Any] = {{row.__name__: row for group in ROWS.values() for row in group}}
    for group in ROWS.values():
        for row in group:
            row.link(rows)


_link()

__all__ = {names!r}
'''


def emit_enums(dmmf: Dmmf) -> str:
    """Source of `enums.py`."""
    out = header("Enums of the schema.") + "\nfrom enum import StrEnum\n\n\n"
    for enum in dmmf.enums:
        members = "".join(f"    {names.member(value)} = {value!r}\n" for value in enum.values)
        out += f"class {enum.name}(StrEnum):\n{docstring(enum.documentation)}{members}\n\n"
    table = ", ".join(f"{enum.name!r}: {enum.name}" for enum in dmmf.enums)
    return out + f"ENUMS: dict[str, type[StrEnum]] = {{{table}}}\n"


def emit_rows(dmmf: Dmmf, package: str) -> dict[str, str]:
    """File name -> source."""
    files = {f"{names.module(model.name)}.py": _module(model, package) for model in dmmf.models}
    classes = {model.name: row_classes(model.name) for model in dmmf.models}
    imports = "".join(
        f"from {package}.models.{names.module(model)} import {', '.join(group)}\n" for model, group in classes.items()
    )
    rows = "".join(f"    {model!r}: ({', '.join(group)}),\n" for model, group in classes.items())
    exported = sorted(name for group in classes.values() for name in group)
    files["__init__.py"] = header("What queries return.") + INIT.format(imports=imports, rows=rows, names=exported)
    return files


def row_classes(model: str) -> tuple[str, str, str]:
    """The three classes of a model."""
    return model, f"{model}WithRelations", f"{model}Partial"


def _module(model: Model, package: str) -> str:
    enums = sorted({field.type for field in model.columns if field.kind == "enum"})
    related = sorted({field.type for field in model.relations} - {model.name})
    plain, included, partial = row_classes(model.name)
    columns = "".join(_line(field, column(field)) for field in model.columns)
    relations = "".join(_line(field, _related(field)) for field in model.relations)
    loaded = "".join(_line(field, f"{_related(field)} = FROM_QUERY") for field in model.relations)
    unloaded = "".join(_line(field, f"{_related(field, optional=True)} = None") for field in model.relations)
    if any(field.is_list for field in model.relations):
        relations += "    count_: dict[str, int]\n"
        loaded += "    count_: dict[str, int] = FROM_QUERY\n"
    out = (
        header(f"Rows of {model.name}.")
        + "\nimport datetime\nimport decimal\nfrom typing import TYPE_CHECKING, Any\n\n"
    )
    if enums:
        out += f"from {package}.enums import {', '.join(enums)}\n"
    out += "from pydantic import Field\nfrom prisma.runtime.rows import FROM_QUERY, Row\n"
    if related:
        lines = "".join(
            f"    from {package}.models.{names.module(name)} import {name}WithRelations\n" for name in related
        )
        out += f"\nif TYPE_CHECKING:\n{lines}"
    out += f"\n\nclass {plain}(Row, frozen=True):\n"
    out += docstring(model.documentation or f"A record of {model.name}.") + "\n" + columns + unloaded
    out += f"\n\nclass {included}({plain}, frozen=True):\n"
    out += docstring(
        f"A {model.name} read with `include`: the relations named there are loaded; reading another raises."
    )
    out += "\n" + loaded
    out += f"\n\nclass {partial}(Row, frozen=True):\n"
    out += docstring(f"A {model.name} read with `select` or `omit`: reading what was left out raises.")
    return out + "\n" + columns + relations


def _line(field: ModelField, kind: str) -> str:
    name = names.attribute(field.name)
    if name == field.name:
        return f"    {name}: {kind}\n"
    bare, _, default = kind.partition(" = ")
    return f"    {name}: {bare} = Field({default or '...'}, alias={field.name!r})\n"


def _related(field: ModelField, *, optional: bool = False) -> str:
    one = f"{field.type}WithRelations"
    if field.is_list:
        return f"list[{one}] | None" if optional else f"list[{one}]"
    return one if field.required and not optional else f"{one} | None"
