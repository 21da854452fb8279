"""What runs cost, and how long the model took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.errors import Forbidden
from api.principal import ThePrincipal
from api.problems import Problem, documented
from api.state import TheDb
from api.usage import GroupBy, Sums, sum_up

router = APIRouter(prefix="/v1/usage", tags=["usage"], responses=documented(403, 422, 503))

USUAL_SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)


class Usage(BaseModel):
    """One day's, model's or user's runs together. Runs that wait or work still count with what they used so far."""

    key: Annotated[str, Field(description="The day (`2026-11-25`, UTC), the model, or the user's id (empty: nobody).")]
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    model_calls: int
    input_tokens: int
    output_tokens: int
    tokens_per_second: Annotated[float | None, Field(description="Output tokens while answers were generated.")]
    mean_first_token_ms: Annotated[
        float | None, Field(description="From a run's first question to the model to the first thing it generated.")
    ]
    longest_first_token_ms: int
    mean_queue_ms: Annotated[float, Field(description="From the request until its run could begin.")]
    longest_queue_ms: int


class UsageReport(BaseModel):
    """In the order of the keys. `next` continues it as `?after=`; null at the end."""

    since: Annotated[datetime, Field(serialization_alias="from")]
    until: Annotated[datetime, Field(serialization_alias="to")]
    group_by: GroupBy
    data: list[Usage]
    next: str | None = None


@router.get("")
async def read_usage(
    db: TheDb,
    principal: ThePrincipal,
    *,
    since: Annotated[
        datetime | None, Query(alias="from", description="Runs asked for from then on; 30 days ago when not given.")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="And before then; now when not given.")] = None,
    group_by: Annotated[GroupBy, Query(description="`user` is for admins.")] = "day",
    limit: Annotated[int, Query(ge=1, le=400, description="Groups in one answer.")] = 100,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the part before.")] = None,
) -> UsageReport:
    """An admin sees the company's usage, everybody else their own. Times without a zone are UTC; at most 366 days."""
    whole = "admin" in principal.roles
    if not whole and (principal.user_id is None or group_by == "user"):
        raise Forbidden("Only an admin may read the usage of others.")
    end = _utc(until) if until is not None else datetime.now(UTC) + timedelta(seconds=1)
    begin = _utc(since) if since is not None else end - USUAL_SPAN
    if not timedelta(0) < end - begin <= LONGEST_SPAN:
        detail = f"`from` must be before `to`, and at most {LONGEST_SPAN.days} days before it."
        raise Problem(422, "invalid_period", detail)
    groups = await sum_up(
        db,
        tenant_id=principal.tenant_id,
        user_id=None if whole else principal.user_id,
        since=begin,
        until=end,
        group_by=group_by,
        after=after,
        limit=limit + 1,
    )
    more = groups[limit - 1].key if len(groups) > limit else None
    return UsageReport(
        since=begin, until=end, group_by=group_by, data=[_shown(group) for group in groups[:limit]], next=more
    )


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _shown(group: Sums) -> Usage:
    seconds = group.generation_ms / 1000
    return Usage(
        key=group.key,
        runs=group.runs,
        succeeded=group.succeeded,
        failed=group.failed,
        cancelled=group.cancelled,
        model_calls=group.model_calls,
        input_tokens=group.input_tokens,
        output_tokens=group.output_tokens,
        tokens_per_second=round(group.output_tokens / seconds, 2) if seconds else None,
        mean_first_token_ms=round(group.first_token_ms / group.first_tokens, 1) if group.first_tokens else None,
        longest_first_token_ms=group.longest_first_token_ms,
        mean_queue_ms=round(group.queue_ms / group.runs, 1),
        longest_queue_ms=group.longest_queue_ms,
    )
