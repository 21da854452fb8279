"""An engine without a database: it keeps the queries it is given and answers what it was told to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from prisma import Prisma
from prisma.engine import Engine, IsolationLevel, JsonQuery, Transaction


class FakeEngine:
    """Stands in for `prisma.engine.Engine`."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.queries: list[JsonQuery] = []
        self.batches: list[list[JsonQuery]] = []
        self.transactions: list[str] = []

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def execute(self, query: JsonQuery, *, tx: Transaction | None = None) -> Any:
        self.queries.append(query)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def batch(self, queries: Sequence[JsonQuery], *, tx: Transaction | None = None) -> list[Any]:
        self.batches.append(list(queries))
        return [None] * len(queries)

    @asynccontextmanager
    async def tx(
        self,
        *,
        isolation: IsolationLevel | None = None,
        max_wait: float,
        timeout: float,  # noqa: ASYNC109 - the engine's
    ) -> AsyncGenerator[Transaction]:
        self.transactions.append(isolation or "default")
        try:
            yield cast("Transaction", object())
        except BaseException:
            self.transactions.append("rolled back")
            raise
        self.transactions.append("committed")

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the last query."""
        return self.queries[-1]["query"]["arguments"]

    @property
    def selection(self) -> dict[str, Any]:
        """Selection of the last query."""
        return self.queries[-1]["query"]["selection"]


async def connected_to(engine: FakeEngine, url: str = "postgresql://nowhere/none") -> Prisma:
    """A client whose engine is the fake one."""
    db = Prisma(url)
    db.use_engine(cast("Engine", engine))
    await db.connect()
    return db
