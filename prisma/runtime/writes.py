"""Actions that write rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

from prisma.errors import RecordNotFoundError
from prisma.runtime.session import ModelTerms, Session

RowT = TypeVar("RowT")
IncludedT = TypeVar("IncludedT")
PartialT = TypeVar("PartialT")
WhereT = TypeVar("WhereT")
UniqueT = TypeVar("UniqueT")
IncludeT = TypeVar("IncludeT")
SelectT = TypeVar("SelectT")
OmitT = TypeVar("OmitT")
CreateT = TypeVar("CreateT")
CreateRowT = TypeVar("CreateRowT")
UpdateT = TypeVar("UpdateT")
UpdateRowsT = TypeVar("UpdateRowsT")
UpsertT = TypeVar("UpsertT")


class Writes(
    Generic[
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
    ]
):
    """`create`, `update`, `upsert`, `delete` and their bulk forms. A nested write happens whole or not at all."""

    _terms: ModelTerms
    _session: Session

    @overload
    async def create(self, data: CreateT) -> RowT: ...
    @overload
    async def create(self, data: CreateT, *, include: IncludeT) -> IncludedT: ...
    @overload
    async def create(self, data: CreateT, *, select: SelectT) -> PartialT: ...
    @overload
    async def create(self, data: CreateT, *, omit: OmitT, include: IncludeT | None = None) -> PartialT: ...
    async def create(self, data: CreateT, *, include: Any = None, select: Any = None, omit: Any = None) -> Any:
        """Create a record, with nested writes.

        Raises:
            UniqueViolationError, ForeignKeyViolationError: The database refused it.
        """
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        return build(await self._session.run(terms.query("createOne", {"data": terms.create(data)}, selection)))

    @overload
    async def update(self, data: UpdateT, where: UniqueT) -> RowT | None: ...
    @overload
    async def update(self, data: UpdateT, where: UniqueT, *, include: IncludeT) -> IncludedT | None: ...
    @overload
    async def update(self, data: UpdateT, where: UniqueT, *, select: SelectT) -> PartialT | None: ...
    @overload
    async def update(
        self, data: UpdateT, where: UniqueT, *, omit: OmitT, include: IncludeT | None = None
    ) -> PartialT | None: ...
    async def update(
        self, data: UpdateT, where: UniqueT, *, include: Any = None, select: Any = None, omit: Any = None
    ) -> Any:
        """Change one record.

        Returns:
            None when there is no such record.

        Raises:
            RecordNotFoundError: A record that a nested write depends on is missing.
        """
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        arguments = {"data": terms.update(data), "where": terms.unique(where)}
        try:
            return build(await self._session.run(terms.query("updateOne", arguments, selection)))
        except RecordNotFoundError as error:
            if _is_the_record_itself(error):
                return None
            raise

    @overload
    async def upsert(self, where: UniqueT, data: UpsertT) -> RowT: ...
    @overload
    async def upsert(self, where: UniqueT, data: UpsertT, *, include: IncludeT) -> IncludedT: ...
    @overload
    async def upsert(self, where: UniqueT, data: UpsertT, *, select: SelectT) -> PartialT: ...
    @overload
    async def upsert(
        self, where: UniqueT, data: UpsertT, *, omit: OmitT, include: IncludeT | None = None
    ) -> PartialT: ...
    async def upsert(
        self, where: UniqueT, data: UpsertT, *, include: Any = None, select: Any = None, omit: Any = None
    ) -> Any:
        """Create the record or, where it exists, change it: `data={"create": {...}, "update": {...}}`."""
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        arguments = {"where": terms.unique(where), **terms.upsert(data)}
        return build(await self._session.run(terms.query("upsertOne", arguments, selection)))

    @overload
    async def delete(self, where: UniqueT) -> RowT | None: ...
    @overload
    async def delete(self, where: UniqueT, *, include: IncludeT) -> IncludedT | None: ...
    @overload
    async def delete(self, where: UniqueT, *, select: SelectT) -> PartialT | None: ...
    @overload
    async def delete(self, where: UniqueT, *, omit: OmitT, include: IncludeT | None = None) -> PartialT | None: ...
    async def delete(self, where: UniqueT, *, include: Any = None, select: Any = None, omit: Any = None) -> Any:
        """Delete one record and return it; None when there is no such record."""
        terms = self._terms
        selection, build = terms.chosen(include, select, omit)
        arguments = {"where": terms.unique(where)}
        try:
            return build(await self._session.run(terms.query("deleteOne", arguments, selection)))
        except RecordNotFoundError as error:
            if _is_the_record_itself(error):
                return None
            raise

    async def create_many(self, data: Sequence[CreateRowT], *, skip_duplicates: bool | None = None) -> int:
        """Create records without relations; their number.

        Args:
            skip_duplicates: Leave out those that would break a unique constraint (PostgreSQL only).
        """
        terms = self._terms
        result = await self._session.run(terms.query("createMany", self._rows(data, skip_duplicates), {"count": True}))
        return int(result["count"])

    @overload
    async def create_many_and_return(
        self, data: Sequence[CreateRowT], *, skip_duplicates: bool | None = None
    ) -> list[RowT]: ...
    @overload
    async def create_many_and_return(
        self, data: Sequence[CreateRowT], *, select: SelectT, skip_duplicates: bool | None = None
    ) -> list[PartialT]: ...
    @overload
    async def create_many_and_return(
        self, data: Sequence[CreateRowT], *, omit: OmitT, skip_duplicates: bool | None = None
    ) -> list[PartialT]: ...
    async def create_many_and_return(
        self, data: Sequence[CreateRowT], *, skip_duplicates: bool | None = None, select: Any = None, omit: Any = None
    ) -> Any:
        """As `create_many`, and return the records."""
        terms = self._terms
        selection, build = terms.chosen(None, select, omit)
        return [
            build(row)
            for row in await self._session.run(
                terms.query("createManyAndReturn", self._rows(data, skip_duplicates), selection)
            )
        ]

    async def update_many(self, data: UpdateRowsT, where: WhereT | None = None, *, limit: int | None = None) -> int:
        """Change every record that matches; their number."""
        arguments = self._changes(data, where, limit)
        return int((await self._session.run(self._terms.query("updateMany", arguments, {"count": True})))["count"])

    @overload
    async def update_many_and_return(
        self, data: UpdateRowsT, where: WhereT | None = None, *, limit: int | None = None
    ) -> list[RowT]: ...
    @overload
    async def update_many_and_return(
        self, data: UpdateRowsT, where: WhereT | None = None, *, select: SelectT, limit: int | None = None
    ) -> list[PartialT]: ...
    @overload
    async def update_many_and_return(
        self, data: UpdateRowsT, where: WhereT | None = None, *, omit: OmitT, limit: int | None = None
    ) -> list[PartialT]: ...
    async def update_many_and_return(
        self,
        data: UpdateRowsT,
        where: WhereT | None = None,
        *,
        limit: int | None = None,
        select: Any = None,
        omit: Any = None,
    ) -> Any:
        """As `update_many`, and return the records as they are now."""
        terms = self._terms
        selection, build = terms.chosen(None, select, omit)
        return [
            build(row)
            for row in await self._session.run(
                terms.query("updateManyAndReturn", self._changes(data, where, limit), selection)
            )
        ]

    async def delete_many(self, where: WhereT | None = None, *, limit: int | None = None) -> int:
        """Delete every record that matches (without `where`: all of them); their number."""
        terms = self._terms
        arguments = delete_arguments(terms, where, limit)
        return int((await self._session.run(terms.query("deleteMany", arguments, {"count": True})))["count"])

    def _rows(self, data: Sequence[Any], skip_duplicates: bool | None) -> dict[str, Any]:
        return create_arguments(self._terms, data, skip_duplicates)

    def _changes(self, data: Any, where: Any, limit: int | None) -> dict[str, Any]:
        return update_arguments(self._terms, data, where, limit)


def create_arguments(terms: ModelTerms, data: Sequence[Any], skip_duplicates: bool | None) -> dict[str, Any]:
    """Arguments of the bulk create."""
    out: dict[str, Any] = {"data": [terms.create_row(row) for row in data]}
    if skip_duplicates is not None:
        out["skipDuplicates"] = skip_duplicates
    return out


def update_arguments(terms: ModelTerms, data: Any, where: Any, limit: int | None) -> dict[str, Any]:
    """Arguments of the bulk update."""
    return {"data": terms.update_rows(data), **delete_arguments(terms, where, limit)}


def delete_arguments(terms: ModelTerms, where: Any, limit: int | None) -> dict[str, Any]:
    """Arguments of the bulk delete."""
    out: dict[str, Any] = {} if where is None else {"where": terms.where(where)}
    if limit is not None:
        out["limit"] = limit
    return out


def _is_the_record_itself(error: RecordNotFoundError) -> bool:
    """Whether the record to update or delete is what is missing, and not one that a nested write depends on."""
    return "No record was found for" in error.message
