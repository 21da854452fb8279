"""What the runtime knows of a schema: a few words a field, written out by the generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Arity = Literal["one", "many"]

SCALARS = frozenset({"String", "Int", "BigInt", "Float", "Decimal", "Boolean", "DateTime", "Json", "Bytes"})


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model.

    Attributes:
        name: As in the schema: `PurchaseOrder`.
        accessor: Attribute of the client: `purchaseorder`.
        scalars: Field -> type. A type that is not one of `SCALARS` is the name of an enum.
        lists: Those of the scalars that are list columns.
        relations: Field -> (model, arity).
        uniques: Name of a compound key -> its fields.
        attributes: Field -> attribute of the row, where Python does not allow the field's own name.
    """

    name: str
    accessor: str
    scalars: Mapping[str, str]
    relations: Mapping[str, tuple[str, Arity]] = field(default_factory=dict[str, "tuple[str, Arity]"])
    uniques: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    lists: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


Schema = Mapping[str, ModelSpec]
