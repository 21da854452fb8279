"""What the actions of one model need: the translation of their arguments and a way to run the query."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from prisma.errors import ClientNotConnectedError, InputError
from prisma.runtime.building import enum_reader
from prisma.runtime.inputs import Inputs
from prisma.runtime.schema import ModelSpec, Schema
from prisma.runtime.selections import Chosen, Selections
from prisma.runtime.shapes import Shape, one_or_many, unknown

if TYPE_CHECKING:
    from prisma.engine import Engine, JsonQuery, Provider, Transaction


class Session:
    """Where the queries of a client go: its engine, and the transaction that it stands for, if any."""

    __slots__ = ("connected", "tx")

    def __init__(self) -> None:
        self.connected: Engine | None = None
        self.tx: Transaction | None = None

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            ClientNotConnectedError: `connect()` has not been called.
        """
        if self.connected is None:
            raise ClientNotConnectedError
        return self.connected

    def run(self, query: JsonQuery) -> Awaitable[Any]:
        """The result of the query, as Python values."""
        return (self.connected or self.engine).execute(query, tx=self.tx)


class Vocabulary:
    """Everything that follows from the schema and the kind of database, for all clients of them."""

    def __init__(self, schema: Schema, rows: Any, enums: Mapping[str, type[Enum]], *, has_mode: bool = True) -> None:
        self.schema = schema
        self.enums = enums
        self.inputs = Inputs(schema, has_mode=has_mode)
        self.selections = Selections(self.inputs, rows, enums)
        self.by_accessor = {spec.accessor: name for name, spec in schema.items()}
        self._models: dict[str, ModelTerms] = {}

    def model_of(self, accessor: str, owner: str) -> str:
        """The model behind an attribute of the client.

        Raises:
            AttributeError: There is none.
        """
        model = self.by_accessor.get(accessor)
        if model is None:
            near = get_close_matches(accessor, list(self.by_accessor), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"{owner} has no attribute {accessor!r}.{hint}")
        return model

    def terms(self, model: str) -> ModelTerms:
        """What the arguments of one model mean."""
        found = self._models.get(model)
        if found is None:
            found = self._models[model] = ModelTerms(self, self.schema[model])
        return found


class Vocabularies:
    """The vocabulary of a generated client for each kind of database, made when it is first needed."""

    def __init__(self, schema: Schema, rows: Any, enums: Mapping[str, type[Enum]]) -> None:
        self._of_schema = (schema, rows, enums)
        self._made: dict[Provider, Vocabulary] = {}

    def __call__(self, provider: Provider) -> Vocabulary:
        if provider not in self._made:
            self._made[provider] = Vocabulary(*self._of_schema, has_mode=provider != "sqlite")
        return self._made[provider]


class ModelTerms:
    """The shapes of one model, looked up once."""

    def __init__(self, vocabulary: Vocabulary, spec: ModelSpec) -> None:
        inputs, name = vocabulary.inputs, spec.name
        self.spec = spec
        self.name = name
        self.selections = vocabulary.selections
        self.where = inputs.where(name)
        self.unique = inputs.where_unique(name)
        self.create = inputs.data(name, "create", True)
        self.create_row = inputs.data(name, "create", False)
        self.update = inputs.data(name, "update", True)
        self.update_rows = inputs.data(name, "update", False)
        self.having = inputs.having(name)
        self.order = one_or_many(inputs.order(name))
        self.group_order = one_or_many(inputs.group_order(name))
        self.upsert = Shape(
            f"{name}UpsertInput", lambda: {"create": ("create", self.create), "update": ("update", self.update)}
        )
        enums = {field: vocabulary.enums[kind] for field, kind in spec.scalars.items() if kind in vocabulary.enums}
        self.read_enums = enum_reader(enums)

    def query(self, action: str, arguments: dict[str, Any], selection: dict[str, Any]) -> JsonQuery:
        """One operation in Prisma's JSON protocol."""
        return {"modelName": self.name, "action": action, "query": {"arguments": arguments, "selection": selection}}

    def page(
        self,
        *,
        where: Any,
        skip: int | None,
        cursor: Any = None,
        order: Any = None,
        take: int | None = None,
        distinct: Any = None,
    ) -> dict[str, Any]:
        """Arguments of the operations that read many rows; None stands for "not given"."""
        out: dict[str, Any] = {}
        if where is not None:
            out["where"] = self.where(where)
        if take is not None:
            out["take"] = take
        if skip is not None:
            out["skip"] = skip
        if cursor is not None:
            out["cursor"] = self.unique(cursor)
        if order is not None:
            out["orderBy"] = self.order(order)
        if distinct is not None:
            out["distinct"] = list(distinct)
        return out

    def chosen(self, include: Chosen | None, select: Chosen | None, omit: Chosen | None) -> Any:
        """The selection and how its rows are built."""
        if include is None and select is None and omit is None:
            return self.selections.plain(self.name)
        return self.selections.of(self.name, include, select, omit)

    def aggregates(self, count: Any, **chosen: Any) -> dict[str, Any]:
        """The selection of `_count`, `_avg`, `_sum`, `_min` and `_max`."""
        if count is True:
            count = {"_all": True}
        out: dict[str, Any] = {}
        for name, fields in {"_count": count or None, **{f"_{key}": value for key, value in chosen.items()}}.items():
            if fields is not None:
                out[name] = {"arguments": {}, "selection": self._flags(name, fields)}
        return out

    def _flags(self, aggregate: str, fields: Any) -> dict[str, Any]:
        if not isinstance(fields, Mapping):
            raise InputError(f"{aggregate} takes a dict of fields, not {fields!r}.", model=self.name)
        wanted = cast(Mapping[str, Any], fields)
        for name in wanted:
            if name not in self.spec.scalars and (aggregate, name) != ("_count", "_all"):
                raise unknown(f"{aggregate} of {self.name}", name, self.spec.scalars)
        return {name: bool(flag) for name, flag in wanted.items()}

    def columns(self, names: Sequence[str]) -> dict[str, Any]:
        """A selection of these scalars."""
        for name in names:
            if name not in self.spec.scalars:
                raise unknown(self.name, name, self.spec.scalars)
        return dict.fromkeys(names, True)

    def read_aggregates(self, row: dict[str, Any]) -> dict[str, Any]:
        """Put enum members in place of strings, in the row and in its least and greatest."""
        if self.read_enums is not None:
            for part in (row, row.get("_min"), row.get("_max")):
                if part is not None:
                    self.read_enums(part)
        return row
