"""The shapes of a model's arguments: filters, unique keys, data with nested writes, order.

Prisma's own schema has about sixty input types a model; they follow from few rules, and these are they.
`tests/prisma/client` holds every type of the DMMF against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from functools import cache
from typing import Any, Literal, TypeAlias

from prisma.errors import InputError
from prisma.runtime.scalars import filter_of, list_filter_of, list_write_of, scalar, update_of
from prisma.runtime.schema import Arity, ModelSpec, Schema
from prisma.runtime.shapes import Encode, Keys, Shape, is_mapping, many, one_or_many, optional

Write: TypeAlias = Literal["create", "update"]
MutableKeys: TypeAlias = dict[str, tuple[str, Encode | None]]


class Inputs:
    """The shapes of every model of one schema, each made when it is first asked for.

    Args:
        has_mode: Whether the database has `mode` on filters of text; SQLite has not.
    """

    def __init__(self, schema: Schema, *, has_mode: bool = True) -> None:
        self.schema = schema
        self._has_mode = has_mode
        self.where = cache(self._where)
        self.scalar_where = cache(self._scalar_where)
        self.where_unique = cache(self._where_unique)
        self.having = cache(self._having)
        self.order = cache(self._order)
        self.group_order = cache(self._group_order)
        self.data = cache(self._data)
        self.nested = cache(self._nested)

    # ------------------------------------------------------------ filters

    def _where(self, model: str) -> Shape:
        return Shape(f"{model}WhereInput", lambda: self._logic(self.where(model)) | self._filters(self.schema[model]))

    def _scalar_where(self, model: str) -> Shape:
        spec = self.schema[model]
        return Shape(f"{model}ScalarWhereInput", lambda: self._logic(self.scalar_where(model)) | self._columns(spec))

    def _having(self, model: str) -> Shape:
        spec = self.schema[model]
        return Shape(
            f"{model}ScalarWhereWithAggregatesInput",
            lambda: self._logic(self.having(model)) | self._columns(spec, having=True),
        )

    def _where_unique(self, model: str) -> Shape:
        spec = self.schema[model]
        return Shape(
            f"{model}WhereUniqueInput",
            lambda: self._logic(self.where(model)) | self._filters(spec) | _compound_keys(spec),
        )

    def _logic(self, shape: Shape) -> MutableKeys:
        return {"AND": ("AND", one_or_many(shape)), "OR": ("OR", many(shape)), "NOT": ("NOT", one_or_many(shape))}

    def _filters(self, spec: ModelSpec) -> MutableKeys:
        relations: MutableKeys = {
            name: (name, self._to_many_filter(target) if arity == "many" else self._to_one_filter(target))
            for name, (target, arity) in spec.relations.items()
        }
        return self._columns(spec) | relations

    def _columns(self, spec: ModelSpec, *, having: bool = False) -> MutableKeys:
        out: MutableKeys = {}
        for name, kind in spec.scalars.items():
            if name in spec.lists:
                out[name] = (name, list_filter_of(kind))
            else:
                out[name] = (name, filter_of(kind, having=having, has_mode=self._has_mode))
        return out

    def _to_many_filter(self, target: str) -> Shape:
        return Shape(
            f"{target}ListRelationFilter",
            lambda: {name: (name, self.where(target)) for name in ("some", "every", "none")},
        )

    def _to_one_filter(self, target: str) -> Encode:
        where = self.where(target)
        by_name = Shape(
            f"{target}RelationFilter",
            lambda: {"is": ("is", optional(where)), "is_not": ("isNot", optional(where))},
        )

        def encode(value: Any) -> Any:
            if value is None:
                return None
            return self._first_that_fits(target, value, {"is": by_name, "is_not": by_name}, where)

        return encode

    def _first_that_fits(self, target: str, value: Any, words: Mapping[str, Encode], otherwise: Encode) -> Any:
        """Prisma allows a wrapping dict, told by its words, or what it wraps. A model may have the words as fields."""
        found = next((word for word in words if is_mapping(value) and word in value), None)
        if found is not None:
            with suppress(InputError) if found in self.schema[target].scalars else nullcontext():
                return words[found](value)
        return otherwise(value)

    # ------------------------------------------------------------ order

    def _order(self, model: str) -> Shape:
        spec = self.schema[model]

        def keys() -> Keys:
            relations: MutableKeys = {
                name: (name, _count_order(target) if arity == "many" else self.order(target))
                for name, (target, arity) in spec.relations.items()
            }
            return {name: (name, None) for name in spec.scalars} | relations

        return Shape(f"{model}OrderByInput", keys)

    def _group_order(self, model: str) -> Shape:
        spec = self.schema[model]

        def keys() -> Keys:
            columns: MutableKeys = {name: (name, None) for name in spec.scalars}
            shape = Shape(f"An aggregate of {model}", lambda: columns)
            return columns | {name: (name, shape) for name in ("_count", "_avg", "_sum", "_min", "_max")}

        return Shape(f"{model}OrderByWithAggregationInput", keys)

    # ------------------------------------------------------------ data

    def _data(self, model: str, write: Write, relations: bool) -> Shape:
        """Data of a create or an update; `relations=False` for the bulk operations."""
        spec = self.schema[model]

        def keys() -> Keys:
            out: MutableKeys = {}
            for name, kind in spec.scalars.items():
                if name in spec.lists:
                    out[name] = (name, list_write_of(kind, push=write == "update"))
                elif write == "update":
                    out[name] = (name, update_of(kind))
                else:
                    out[name] = (name, scalar(kind) if kind == "Json" else None)
            if relations:
                for name, (target, arity) in spec.relations.items():
                    out[name] = (name, self.nested(target, arity, write))
            return out

        return Shape(f"{model}{write.capitalize()}{'' if relations else 'Many'}Input", keys)

    def _nested(self, target: str, arity: Arity, write: Write) -> Shape:
        keys = self._nested_many if arity == "many" else self._nested_one
        return Shape(f"A nested write to {target}", lambda: keys(target, write))

    def _links(self, target: str, wrap: Callable[[Encode], Encode]) -> MutableKeys:
        create, unique = self.data(target, "create", True), self.where_unique(target)
        connect_or_create = Shape(
            f"{target} connect_or_create", lambda: {"where": ("where", unique), "create": ("create", create)}
        )
        return {
            "create": ("create", wrap(create)),
            "connect": ("connect", wrap(unique)),
            "connect_or_create": ("connectOrCreate", wrap(connect_or_create)),
        }

    def _nested_many(self, target: str, write: Write) -> Keys:
        rows = one_or_many(self.data(target, "create", False))
        create_many = Shape(
            f"{target} create_many",
            lambda: {"data": ("data", rows), "skip_duplicates": ("skipDuplicates", None)},
        )
        keys = self._links(target, one_or_many) | {"create_many": ("createMany", create_many)}
        if write == "create":
            return keys
        create, update = self.data(target, "create", True), self.data(target, "update", True)
        unique, scalar_where = self.where_unique(target), self.scalar_where(target)
        upsert = Shape(
            f"{target} upsert",
            lambda: {"where": ("where", unique), "create": ("create", create), "update": ("update", update)},
        )
        update_one = Shape(f"{target} update", lambda: {"where": ("where", unique), "data": ("data", update)})
        update_many = Shape(
            f"{target} update_many",
            lambda: {"where": ("where", scalar_where), "data": ("data", self.data(target, "update", False))},
        )
        uniques: MutableKeys = {name: (name, one_or_many(unique)) for name in ("set", "disconnect", "delete")}
        return (
            keys
            | uniques
            | {
                "upsert": ("upsert", one_or_many(upsert)),
                "update": ("update", one_or_many(update_one)),
                "update_many": ("updateMany", one_or_many(update_many)),
                "delete_many": ("deleteMany", one_or_many(scalar_where)),
            }
        )

    def _nested_one(self, target: str, write: Write) -> Keys:
        keys = self._links(target, itself)
        if write == "create":
            return keys
        create, update, where = self.data(target, "create", True), self.data(target, "update", True), self.where(target)
        upsert = Shape(
            f"{target} upsert",
            lambda: {"where": ("where", where), "create": ("create", create), "update": ("update", update)},
        )
        guarded = Shape(f"{target} update", lambda: {"where": ("where", where), "data": ("data", update)})

        def encode_update(value: Any) -> Any:
            return self._first_that_fits(target, value, {"data": guarded, "where": guarded}, update)

        def encode_flag(value: Any) -> Any:
            return value if isinstance(value, bool) else where(value)

        return keys | {
            "upsert": ("upsert", upsert),
            "update": ("update", encode_update),
            "disconnect": ("disconnect", encode_flag),
            "delete": ("delete", encode_flag),
        }


def itself(encode: Encode) -> Encode:
    """For one of what `encode` takes."""
    return encode


def _compound_keys(spec: ModelSpec) -> MutableKeys:
    return {
        name: (name, Shape(f"{spec.name} {name}", lambda fields=fields: {field: (field, None) for field in fields}))
        for name, fields in spec.uniques.items()
    }


def _count_order(target: str) -> Shape:
    return Shape(f"{target}OrderByRelationAggregateInput", lambda: {"_count": ("_count", None)})
