"""Writes that are collected first and sent together."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from prisma.runtime.session import ModelTerms, Session, Vocabulary
from prisma.runtime.writes import create_arguments, delete_arguments, update_arguments

if TYPE_CHECKING:
    from prisma.engine import JsonQuery

WhereT = TypeVar("WhereT")
UniqueT = TypeVar("UniqueT")
CreateT = TypeVar("CreateT")
CreateRowT = TypeVar("CreateRowT")
UpdateT = TypeVar("UpdateT")
UpdateRowsT = TypeVar("UpdateRowsT")
UpsertT = TypeVar("UpsertT")

COUNT = {"count": True}


class BatchActions(Generic[WhereT, UniqueT, CreateT, CreateRowT, UpdateT, UpdateRowsT, UpsertT]):
    """The writes of one model. They are not awaited: they happen at `commit()`."""

    def __init__(self, terms: ModelTerms, queries: list[JsonQuery]) -> None:
        self._terms = terms
        self._queries = queries

    def create(self, data: CreateT) -> None:
        """As the action of the same name."""
        self._add("createOne", {"data": self._terms.create(data)})

    def create_many(self, data: Sequence[CreateRowT], *, skip_duplicates: bool | None = None) -> None:
        """As the action of the same name."""
        self._add("createMany", create_arguments(self._terms, data, skip_duplicates), COUNT)

    def update(self, data: UpdateT, where: UniqueT) -> None:
        """As the action of the same name, but a record that does not exist fails the batch."""
        self._add("updateOne", {"data": self._terms.update(data), "where": self._terms.unique(where)})

    def update_many(self, data: UpdateRowsT, where: WhereT | None = None, *, limit: int | None = None) -> None:
        """As the action of the same name."""
        self._add("updateMany", update_arguments(self._terms, data, where, limit), COUNT)

    def upsert(self, where: UniqueT, data: UpsertT) -> None:
        """As the action of the same name."""
        self._add("upsertOne", {"where": self._terms.unique(where), **self._terms.upsert(data)})

    def delete(self, where: UniqueT) -> None:
        """As the action of the same name, but a record that does not exist fails the batch."""
        self._add("deleteOne", {"where": self._terms.unique(where)})

    def delete_many(self, where: WhereT | None = None, *, limit: int | None = None) -> None:
        """As the action of the same name."""
        self._add("deleteMany", delete_arguments(self._terms, where, limit), COUNT)

    def _add(self, action: str, arguments: dict[str, Any], selection: dict[str, Any] | None = None) -> None:
        chosen = self._terms.chosen(None, None, None)[0] if selection is None else selection
        self._queries.append(self._terms.query(action, arguments, chosen))


class BaseBatch:
    """Base of the generated batch.

    async with db.batch_() as batch:
        batch.customer.create({...})
        batch.invoice.update_many({"status": "void"}, where={...})
    """

    def __init__(self, session: Session, vocabulary: Vocabulary) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._queries: list[JsonQuery] = []

    async def commit(self) -> None:
        """Run what was collected, in order, in one transaction. The batch is empty afterwards."""
        queries, self._queries = self._queries, []
        if queries:
            await self._session.engine.batch(queries, tx=self._session.tx)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.commit()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            model = self._vocabulary.model_of(name, type(self).__name__)
            return BatchActions(self._vocabulary.terms(model), self._queries)
