"""The vocabulary of the engine: what goes in, what is reported, what can be set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

Provider = Literal["sqlite", "postgresql"]
IsolationLevel = Literal["ReadUncommitted", "ReadCommitted", "RepeatableRead", "Serializable"]


class JsonQuery(TypedDict):
    """One operation in Prisma's JSON protocol.

    `query` is `{"arguments": {...}, "selection": {...}}`. Arguments hold JSON values, tagged scalars
    (`{"$type": "DateTime", "value": "..."}`) or plain Python values: aware `datetime` (a naive one is taken as UTC),
    `Decimal`, `bytes`, `int` of any size up to 64 bits, `enum.Enum`.
    """

    modelName: NotRequired[str]
    action: str
    query: dict[str, Any]


@dataclass(frozen=True, slots=True)
class QueryEvent:
    """One statement that was sent to the database.

    Attributes:
        sql: The statement, with placeholders.
        parameter_count: How many values were bound. The values themselves are not reported: they may be personal.
        duration: Seconds, measured around the driver's call.
        model: The model of the operation; None for raw queries.
        action: The operation in Prisma's JSON protocol, such as `"findMany"`.
    """

    sql: str
    parameter_count: int
    duration: float
    model: str | None
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What can be set on an engine. Times are in seconds."""

    pool_size: int = 10  # connections; on SQLite one of them writes, the others read
    pool_timeout: float = 10.0  # to wait for a free connection
    connect_timeout: float = 5.0
    statement_timeout: float = 30.0  # one operation on SQLite, one statement on PostgreSQL
    idle_timeout: float = 8.0  # PostgreSQL: of a transaction whose client says nothing; its locks must not last
    busy_timeout: float = 5.0  # SQLite: to wait for a lock held by another process
    plan_cache_size: int = 1000  # compiled query shapes
    on_query: Callable[[QueryEvent], None] | None = None
