"""What a query returns: `include`, `select` and `omit` as Prisma's selection, and how its rows are built."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeAlias, cast

from prisma.errors import InputError
from prisma.runtime.building import Build, RawRow, constructor, enum_reader
from prisma.runtime.inputs import Inputs
from prisma.runtime.schema import ModelSpec
from prisma.runtime.shapes import Keys, Shape, one_or_many, unknown

Variant: TypeAlias = Literal["plain", "included", "partial"]
Chosen: TypeAlias = Mapping[str, Any]
EVERY_SCALAR = {"$composites": True, "$scalars": True}


class Selections:
    """Selections of one schema.

    Args:
        inputs: Shapes of the arguments, for those of a relation.
        rows: (model, variant) -> class.
        enums: Name -> class.
    """

    def __init__(self, inputs: Inputs, rows: Any, enums: Mapping[str, type[Enum]]) -> None:
        self._inputs = inputs
        self._schema = inputs.schema
        self._rows = rows
        self._enums = enums
        self.plain = cache(self._plain)
        self._leaf = cache(self._make_leaf)
        self._arguments = cache(self._make_arguments)

    def _plain(self, model: str) -> tuple[dict[str, Any], Build]:
        """Every scalar and nothing else."""
        return dict(EVERY_SCALAR), self._leaf(model, "plain")

    def of(
        self,
        model: str,
        include: Chosen | None = None,
        select: Chosen | None = None,
        omit: Chosen | None = None,
    ) -> tuple[dict[str, Any], Build]:
        """The selection and the function that makes a row of what comes back.

        Raises:
            InputError: `select` beside one of the other two.
            FieldNotFoundError: A name that the model does not have.
        """
        if select is not None:
            if include is not None or omit is not None:
                raise InputError("`select` cannot stand beside `include` or `omit`.", model=model)
            return self._chosen(model, select, {}, "partial")
        if include is None and omit is None:
            return self.plain(model)
        selection: dict[str, Any] = dict(EVERY_SCALAR)
        for name, left_out in (omit or {}).items():
            if name not in self._schema[model].scalars:
                raise unknown(f"{model}Omit", name, self._schema[model].scalars)
            selection[name] = not left_out
        return self._chosen(model, include or {}, selection, "included" if omit is None else "partial")

    def _chosen(
        self, model: str, chosen: Chosen, selection: dict[str, Any], variant: Variant
    ) -> tuple[dict[str, Any], Build]:
        spec = self._schema[model]
        scalars: Mapping[str, str] = spec.scalars if variant == "partial" and not selection else {}
        related: list[tuple[str, Build, bool]] = []
        for name, wanted in chosen.items():
            if name in scalars:
                selection[name] = bool(wanted)
            elif name in spec.relations:
                if wanted is False:
                    continue
                target, arity = spec.relations[name]
                selection[name], build = self._relation(target, wanted)
                related.append((name, build, arity == "many"))
            elif name == "_count":
                if wanted is not False:
                    selection[name] = self._count(spec, wanted)
            else:
                raise unknown(f"{model}{'Select' if scalars else 'Include'}", name, {**scalars, **spec.relations})
        return selection, _with_relations(self._leaf(model, variant), related, "_count" in selection)

    def _relation(self, target: str, wanted: Any) -> tuple[dict[str, Any], Build]:
        if wanted is True:
            selection, build = self.of(target, include={})
            return {"arguments": {}, "selection": selection}, build
        if not isinstance(wanted, Mapping):
            raise InputError(f"A relation takes True, False or a dict of arguments, not {wanted!r}.", model=target)
        arguments = dict(cast(Mapping[str, Any], wanted))
        select: Chosen | None = arguments.pop("select", None)
        include: Chosen | None = arguments.pop("include", {} if select is None else None)
        omit: Chosen | None = arguments.pop("omit", None)
        selection, build = self.of(target, include=include, select=select, omit=omit)
        return {"arguments": self._arguments(target)(arguments), "selection": selection}, build

    def _count(self, spec: ModelSpec, wanted: Any) -> dict[str, Any]:
        """`_count` of the related rows: True for every list relation, or `{"select": {relation: True | {"where"}}}`."""
        lists = {name: target for name, (target, arity) in spec.relations.items() if arity == "many"}
        chosen: Chosen = dict.fromkeys(lists, True) if wanted is True else wanted["select"]
        out: dict[str, Any] = {}
        for name, how in chosen.items():
            if name not in lists:
                raise unknown(f"{spec.name}CountOutputType", name, lists)
            if isinstance(how, Mapping):
                target = lists[name]
                where = Shape(
                    f"A count of {name}", lambda target=target: {"where": ("where", self._inputs.where(target))}
                )
                out[name] = {"arguments": where(how), "selection": {}}
            else:
                out[name] = bool(how)
        return {"arguments": {}, "selection": out}

    def _make_arguments(self, target: str) -> Shape:
        """Arguments of a relation in `include` and `select`."""
        inputs = self._inputs

        def keys() -> Keys:
            return {
                "where": ("where", inputs.where(target)),
                "order_by": ("orderBy", one_or_many(inputs.order(target))),
                "cursor": ("cursor", inputs.where_unique(target)),
                "take": ("take", None),
                "skip": ("skip", None),
                "distinct": ("distinct", None),
            }

        return Shape(f"FindMany{target}Args", keys)

    def _make_leaf(self, model: str, variant: Variant) -> Build:
        """Makes rows without relations."""
        spec = self._schema[model]
        construct = constructor(self._rows(model, variant), dict.fromkeys(spec.relations) if variant == "plain" else {})
        read = enum_reader({field: self._enums[kind] for field, kind in spec.scalars.items() if kind in self._enums})
        renamed = tuple(spec.attributes.items())
        if read is None and not renamed:
            return construct

        def build(raw: RawRow) -> Any:
            if read is not None:
                read(raw)
            for field, attribute in renamed:
                if field in raw:
                    raw[attribute] = raw.pop(field)
            return construct(raw)

        return build


def _with_relations(leaf: Build, related: list[tuple[str, Build, bool]], counted: bool) -> Build:
    def build(raw: RawRow) -> Any:
        for name, build_one, is_list in related:
            value = raw[name]
            if is_list:
                raw[name] = [build_one(item) for item in value]
            elif value is not None:
                raw[name] = build_one(value)
        if counted:
            raw["count_"] = raw.pop("_count")
        return leaf(raw)

    return build if related or counted else leaf
