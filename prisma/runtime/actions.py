"""The actions of one model: what `db.customer` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prisma.runtime.aggregates import (
    AggregateOutT,
    Aggregates,
    ColumnsT,
    CountOutT,
    CountT,
    GroupOrderT,
    GroupOutT,
    HavingT,
    NumbersT,
)
from prisma.runtime.fields import FieldRef
from prisma.runtime.reads import (
    FieldT,
    IncludedT,
    IncludeT,
    OmitT,
    OrderT,
    PartialT,
    Reads,
    RowT,
    SelectT,
    UniqueT,
    WhereT,
)
from prisma.runtime.session import ModelTerms, Session
from prisma.runtime.shapes import unknown
from prisma.runtime.writes import CreateRowT, CreateT, UpdateRowsT, UpdateT, UpsertT, Writes

RefsT = TypeVar("RefsT")


class FieldRefs:
    """References to the columns of a model, as attributes."""

    def __init__(self, terms: ModelTerms) -> None:
        self._terms = terms

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> FieldRef[Any]:
            columns = {self._terms.spec.attributes.get(field, field): field for field in self._terms.spec.scalars}
            if name not in columns:
                raise AttributeError(str(unknown(f"{self._terms.name}.fields", name, columns)))
            return FieldRef(self._terms.name, columns[name])


class Actions(
    Reads[RowT, IncludedT, PartialT, WhereT, UniqueT, OrderT, FieldT, IncludeT, SelectT, OmitT],
    Writes[
        RowT,
        IncludedT,
        PartialT,
        WhereT,
        UniqueT,
        IncludeT,
        SelectT,
        OmitT,
        CreateT,
        CreateRowT,
        UpdateT,
        UpdateRowsT,
        UpsertT,
    ],
    Aggregates[
        WhereT,
        UniqueT,
        OrderT,
        FieldT,
        CountT,
        CountOutT,
        NumbersT,
        ColumnsT,
        HavingT,
        GroupOrderT,
        AggregateOutT,
        GroupOutT,
    ],
    Generic[
        RowT,
        IncludedT,
        PartialT,
        FieldT,
        RefsT,
        WhereT,
        UniqueT,
        OrderT,
        IncludeT,
        SelectT,
        OmitT,
        CreateT,
        CreateRowT,
        UpdateT,
        UpdateRowsT,
        UpsertT,
        CountT,
        CountOutT,
        NumbersT,
        ColumnsT,
        HavingT,
        GroupOrderT,
        AggregateOutT,
        GroupOutT,
    ],
):
    """Everything that can be done with the records of one model."""

    def __init__(self, terms: ModelTerms, session: Session) -> None:
        self._terms = terms
        self._session = session

    @property
    def fields(self) -> RefsT:
        """References to the columns, to compare one with another: `{"lt": db.invoice.fields.total_minor}`."""
        refs: Any = FieldRefs(self._terms)
        return refs
