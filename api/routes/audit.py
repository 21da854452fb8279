"""Who decided what: verdicts of policy and guards, and what people decided."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from agent import access
from api.paging import After, Limit, is_listed, page
from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Page, Resource
from api.state import TheDb

if TYPE_CHECKING:
    from prisma.client.types import AuditEntryWhereInput, DateTimeFilter

router = APIRouter(prefix="/v1/audit", tags=["audit"], responses=documented(403, 503))

Action = Annotated[str | None, Query(max_length=64, description="`policy`, `guard`, `approval.decide`, ...")]
Subject = Annotated[str | None, Query(max_length=200, description="A run's id, with all its calls, or `run:call`.")]
Word = Annotated[str | None, Query(max_length=64, description="`allow`, `ask`, `refuse`, `approved`, `rejected`, ...")]
Since = Annotated[datetime | None, Query(description="From this time on; UTC where it names no zone.")]
Until = Annotated[datetime | None, Query(description="Before this time.")]


class AuditEntry(Resource):
    """One verdict or decision. It holds no value of an argument, only its path and where it came from."""

    id: str
    at: datetime
    actor: Annotated[str, Field(description="A user's id; `local` where nobody signs in.")]
    action: str
    subject: Annotated[str, Field(description="What it is about: a run's id, `run:call`, or an effect's id.")]
    verdict: str | None
    details: Annotated[dict[str, Any] | None, Field(description="The rule, its reason, the origins of arguments.")]


@router.get("")
async def list_audit(
    db: TheDb,
    principal: ThePrincipal,
    *,
    action: Action = None,
    subject: Subject = None,
    verdict: Word = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditEntry]:
    """The company's audit, the newest first. For admins only."""
    where = access.audit(principal)
    if action is not None:
        where["action"] = action
    if verdict is not None:
        where["verdict"] = verdict
    if subject is not None:
        where["OR"] = about(subject)
    times: DateTimeFilter = {}
    if since is not None:
        times["gte"] = since
    if until is not None:
        times["lt"] = until
    if times:
        where["at"] = times
    if not await is_listed(db.auditentry.count, access.audit(principal), after):
        return Page(data=[])
    rows = await db.auditentry.find_many(
        where=where,
        order=[{"at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(AuditEntry, rows, limit)


def about(subject: str) -> list[AuditEntryWhereInput]:
    """Entries about a run are also those about its calls."""
    return [{"subject": subject}, {"subject": {"startswith": f"{subject}:"}}]
