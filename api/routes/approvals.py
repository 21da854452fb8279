"""Calls that wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent import access
from api.paging import After, Limit, is_listed, page
from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Approval, ApprovalStatus, Page
from api.state import TheAgent, TheDb

router = APIRouter(prefix="/v1/approvals", tags=["approvals"], responses=documented(503))


class Decision(BaseModel):
    """`digest` is that of the approval as it was shown: what a person did not see is not approved."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "reject"]
    digest: Annotated[str, Field(min_length=1, max_length=128)]
    reason: Annotated[str | None, Field(max_length=2000)] = None


@router.get("")
async def list_approvals(
    db: TheDb, principal: ThePrincipal, status: ApprovalStatus | None = None, limit: Limit = 50, after: After = None
) -> Page[Approval]:
    """Approvals, the newest first; `?status=pending` for those that can still be decided. Whoever may decide sees the
    company's, everybody else those of their own runs."""
    where = access.approvals(principal)
    if status is not None:
        where["status"] = status
    if status == "pending":
        where["expires_at"] = {"gt": datetime.now(UTC)}
    if not await is_listed(db.approval.count, access.approvals(principal), after):
        return Page(data=[])
    rows = await db.approval.find_many(
        where=where,
        order=[{"created_at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(Approval, rows, limit)


@router.post("/{approval_id}", responses=documented(403, 404, 409))
async def decide_approval(
    approval_id: str, decision: Decision, agent: TheAgent, db: TheDb, principal: ThePrincipal
) -> Approval:
    """Decide once. When nothing else is waited for, the run goes on; its events say how."""
    await agent.decide(
        approval_id,
        decision=decision.decision,
        digest=decision.digest,
        reason=decision.reason,
        principal=principal,
    )
    row = await db.approval.find_unique_or_raise(where={"id": approval_id})
    return Approval.model_validate(row)
