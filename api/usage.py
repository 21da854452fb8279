"""What runs cost, added up in the database by day, model or user. Times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from prisma import Prisma

GroupBy = Literal["day", "model", "user"]

# The key of a group. Days begin at midnight UTC, as times are kept.
_KEYS: dict[str, dict[GroupBy, str]] = {
    "sqlite": {"day": 'substr("created_at", 1, 10)', "model": '"model"', "user": "coalesce(\"user_id\", '')"},
    "postgresql": {
        "day": "to_char(\"created_at\", 'YYYY-MM-DD')",
        "model": '"model"',
        "user": "coalesce(\"user_id\", '')",
    },
}
# `{n}` becomes the provider's placeholder of the n-th parameter; each is used once, in order, as SQLite counts them.
_QUERY = """
SELECT {key} AS "key",
       count(*) AS "runs",
       sum(CASE WHEN "status" = 'succeeded' THEN 1 ELSE 0 END) AS "succeeded",
       sum(CASE WHEN "status" = 'failed' THEN 1 ELSE 0 END) AS "failed",
       sum(CASE WHEN "status" = 'cancelled' THEN 1 ELSE 0 END) AS "cancelled",
       sum("steps") AS "model_calls",
       sum("input_tokens") AS "input_tokens",
       sum("output_tokens") AS "output_tokens",
       sum("generation_ms") AS "generation_ms",
       sum("queue_ms") AS "queue_ms",
       max("queue_ms") AS "longest_queue_ms",
       sum("first_token_ms") AS "first_token_ms",
       count("first_token_ms") AS "first_tokens",
       max("first_token_ms") AS "longest_first_token_ms"
FROM "Run"
WHERE "tenant_id" = {1} AND "created_at" >= {2} AND "created_at" < {3}{mine}{after}
GROUP BY 1 ORDER BY 1 LIMIT {limit}"""


@dataclass(frozen=True, slots=True)
class Sums:
    """One group. Times in milliseconds; `first_tokens` runs had one."""

    key: str
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    model_calls: int
    input_tokens: int
    output_tokens: int
    generation_ms: int
    queue_ms: int
    longest_queue_ms: int
    first_token_ms: int
    first_tokens: int
    longest_first_token_ms: int


async def sum_up(
    db: Prisma,
    *,
    tenant_id: str,
    user_id: str | None,
    since: datetime,
    until: datetime,
    group_by: GroupBy,
    after: str | None,
    limit: int,
) -> list[Sums]:
    """Groups in the order of their keys, from the one behind `after` on.

    Args:
        user_id: Only this user's runs; None for the whole company's.
    """
    provider = db.engine.provider
    parameters: list[Any] = [tenant_id, _time(since), _time(until)]
    key, mine, behind = _KEYS[provider][group_by], "", ""
    if user_id is not None:
        parameters.append(user_id)
        mine = f' AND "user_id" = {_place(provider, len(parameters))}'
    if after is not None:
        parameters.append(after)
        behind = f" AND {key} > {_place(provider, len(parameters))}"
    names = {str(n): _place(provider, n) for n in (1, 2, 3)}
    if provider == "postgresql":
        names |= {n: f"{names[n]}::timestamptz AT TIME ZONE 'UTC'" for n in ("2", "3")}
    query = _QUERY
    for name, text in {**names, "key": key, "mine": mine, "after": behind, "limit": str(limit)}.items():
        query = query.replace("{" + name + "}", text)
    rows = await db.query_raw(query, *parameters)
    return [Sums(str(row.pop("key")), **{name: int(value or 0) for name, value in row.items()}) for row in rows]


def _place(provider: str, number: int) -> str:
    return "?" if provider == "sqlite" else f"${number}"


def _time(at: datetime) -> str:
    """As the database keeps times; SQLite compares them as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
