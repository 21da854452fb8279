"""Actions that count, sum and group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

from prisma.runtime.session import ModelTerms, Session

WhereT = TypeVar("WhereT")
UniqueT = TypeVar("UniqueT")
OrderT = TypeVar("OrderT")
FieldT = TypeVar("FieldT")
CountT = TypeVar("CountT")
CountOutT = TypeVar("CountOutT")
NumbersT = TypeVar("NumbersT")
ColumnsT = TypeVar("ColumnsT")
HavingT = TypeVar("HavingT")
GroupOrderT = TypeVar("GroupOrderT")
AggregateOutT = TypeVar("AggregateOutT")
GroupOutT = TypeVar("GroupOutT")


class Aggregates(
    Generic[
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
    ]
):
    """`count`, `aggregate` and `group_by`. A result holds what was asked for, and no other key of its type."""

    _terms: ModelTerms
    _session: Session

    @overload
    async def count(
        self,
        select: None = None,
        *,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
    ) -> int: ...
    @overload
    async def count(
        self,
        select: CountT,
        *,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
    ) -> CountOutT: ...
    async def count(
        self,
        select: Any = None,
        *,
        where: Any = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: Any = None,
        order: Any = None,
    ) -> Any:
        """Number of records that match, or with `select={"email": True}` of those that have a value there."""
        terms = self._terms
        chosen = terms.aggregates(True if select is None else select)
        arguments = terms.page(where=where, take=take, skip=skip, cursor=cursor, order=order)
        counts = (await self._session.run(terms.query("aggregate", arguments, chosen)))["_count"]
        return counts["_all"] if select is None else counts

    async def aggregate(
        self,
        *,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        count: CountT | bool | None = None,
        avg: NumbersT | None = None,
        sum: NumbersT | None = None,
        min: ColumnsT | None = None,
        max: ColumnsT | None = None,
    ) -> AggregateOutT:
        """Counts, averages, sums, least and greatest over the records that match: `sum={"total_minor": True}`."""
        terms = self._terms
        chosen = terms.aggregates(count, avg=avg, sum=sum, min=min, max=max)
        arguments = terms.page(where=where, take=take, skip=skip, cursor=cursor, order=order)
        row: Any = terms.read_aggregates(await self._session.run(terms.query("aggregate", arguments, chosen)))
        return row

    async def group_by(
        self,
        by: Sequence[FieldT],
        *,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        order: GroupOrderT | Sequence[GroupOrderT] | None = None,
        having: HavingT | None = None,
        count: CountT | bool | None = None,
        avg: NumbersT | None = None,
        sum: NumbersT | None = None,
        min: ColumnsT | None = None,
        max: ColumnsT | None = None,
    ) -> list[GroupOutT]:
        """One dict for each value of the fields in `by`, with the aggregates asked for under `_count`, `_sum`, ..."""
        terms = self._terms
        arguments: dict[str, Any] = {"by": list(by), **terms.page(where=where, take=take, skip=skip)}
        if order is not None:
            arguments["orderBy"] = terms.group_order(order)
        if having is not None:
            arguments["having"] = terms.having(having)
        chosen = terms.columns(arguments["by"]) | terms.aggregates(count, avg=avg, sum=sum, min=min, max=max)
        groups: list[Any] = await self._session.run(terms.query("groupBy", arguments, chosen))
        for row in groups:
            terms.read_aggregates(row)
        return groups
