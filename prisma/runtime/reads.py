"""Actions that read rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

from prisma.runtime.session import ModelTerms, Session

RowT = TypeVar("RowT")
IncludedT = TypeVar("IncludedT")
PartialT = TypeVar("PartialT")
WhereT = TypeVar("WhereT")
UniqueT = TypeVar("UniqueT")
OrderT = TypeVar("OrderT")
FieldT = TypeVar("FieldT")
IncludeT = TypeVar("IncludeT")
SelectT = TypeVar("SelectT")
OmitT = TypeVar("OmitT")


class Reads(Generic[RowT, IncludedT, PartialT, WhereT, UniqueT, OrderT, FieldT, IncludeT, SelectT, OmitT]):
    """`find_*`. Without `include`, `select` and `omit` they return plain rows: every column, no relation."""

    _terms: ModelTerms
    _session: Session

    @overload
    async def find_unique(self, where: UniqueT) -> RowT | None: ...
    @overload
    async def find_unique(self, where: UniqueT, *, include: IncludeT) -> IncludedT | None: ...
    @overload
    async def find_unique(self, where: UniqueT, *, select: SelectT) -> PartialT | None: ...
    @overload
    async def find_unique(self, where: UniqueT, *, omit: OmitT, include: IncludeT | None = None) -> PartialT | None: ...
    async def find_unique(self, where: UniqueT, *, include: Any = None, select: Any = None, omit: Any = None) -> Any:
        """The record with this unique key, or None."""
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        row = await self._session.run(terms.query("findUnique", {"where": terms.unique(where)}, selection))
        return None if row is None else build(row)

    @overload
    async def find_unique_or_raise(self, where: UniqueT) -> RowT: ...
    @overload
    async def find_unique_or_raise(self, where: UniqueT, *, include: IncludeT) -> IncludedT: ...
    @overload
    async def find_unique_or_raise(self, where: UniqueT, *, select: SelectT) -> PartialT: ...
    @overload
    async def find_unique_or_raise(
        self, where: UniqueT, *, omit: OmitT, include: IncludeT | None = None
    ) -> PartialT: ...
    async def find_unique_or_raise(
        self, where: UniqueT, *, include: Any = None, select: Any = None, omit: Any = None
    ) -> Any:
        """The record with this unique key.

        Raises:
            RecordNotFoundError: There is none.
        """
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        row = await self._session.run(terms.query("findUniqueOrThrow", {"where": terms.unique(where)}, selection))
        return None if row is None else build(row)

    @overload
    async def find_first(
        self,
        *,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> RowT | None: ...
    @overload
    async def find_first(
        self,
        *,
        include: IncludeT,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> IncludedT | None: ...
    @overload
    async def find_first(
        self,
        *,
        select: SelectT,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> PartialT | None: ...
    @overload
    async def find_first(
        self,
        *,
        omit: OmitT,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
        include: IncludeT | None = None,
    ) -> PartialT | None: ...
    async def find_first(
        self,
        *,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
        include: Any = None,
        select: Any = None,
        omit: Any = None,
    ) -> Any:
        """The first record that matches, or None."""
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        row = await self._session.run(
            terms.query(
                "findFirst",
                terms.page(where=where, skip=skip, cursor=cursor, order=order, distinct=distinct),
                selection,
            )
        )
        return None if row is None else build(row)

    @overload
    async def find_first_or_raise(
        self,
        *,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> RowT: ...
    @overload
    async def find_first_or_raise(
        self,
        *,
        include: IncludeT,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> IncludedT: ...
    @overload
    async def find_first_or_raise(
        self,
        *,
        select: SelectT,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> PartialT: ...
    @overload
    async def find_first_or_raise(
        self,
        *,
        omit: OmitT,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
        include: IncludeT | None = None,
    ) -> PartialT: ...
    async def find_first_or_raise(
        self,
        *,
        where: WhereT | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
        include: Any = None,
        select: Any = None,
        omit: Any = None,
    ) -> Any:
        """The first record that matches.

        Raises:
            RecordNotFoundError: There is none.
        """
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        row = await self._session.run(
            terms.query(
                "findFirstOrThrow",
                terms.page(where=where, skip=skip, cursor=cursor, order=order, distinct=distinct),
                selection,
            )
        )
        return None if row is None else build(row)

    @overload
    async def find_many(
        self,
        *,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> list[RowT]: ...
    @overload
    async def find_many(
        self,
        *,
        include: IncludeT,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> list[IncludedT]: ...
    @overload
    async def find_many(
        self,
        *,
        select: SelectT,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
    ) -> list[PartialT]: ...
    @overload
    async def find_many(
        self,
        *,
        omit: OmitT,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
        include: IncludeT | None = None,
    ) -> list[PartialT]: ...
    async def find_many(
        self,
        *,
        where: WhereT | None = None,
        take: int | None = None,
        skip: int | None = None,
        cursor: UniqueT | None = None,
        order: OrderT | Sequence[OrderT] | None = None,
        distinct: Sequence[FieldT] | None = None,
        include: Any = None,
        select: Any = None,
        omit: Any = None,
    ) -> Any:
        """Every record that matches.

        Args:
            where: Filter; without it, every record.
            take: At most so many; a negative number counts from the end.
            skip: Leave out so many first.
            cursor: Start at this record.
            order: One dict a column, the most significant first.
            distinct: Only the first record for each value of these fields.
        """
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        arguments = terms.page(where=where, take=take, skip=skip, cursor=cursor, order=order, distinct=distinct)
        return [build(row) for row in await self._session.run(terms.query("findMany", arguments, selection))]
