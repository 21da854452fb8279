"""A run as people and programs outside see it: over HTTP, and in a webhook. Nothing else of a run leaves the server."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.events import ErrorInfo, UsageInfo
from agent.records import ENDED, RunStatus
from tools.registry import Effect

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.types import RunWhereInput

ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "void"]


class View(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_enum_values=True)


class Approval(View):
    """A call that waits, or waited, for a person. A decision must name `digest`: it binds the call as shown here."""

    id: str
    run_id: str
    call_id: str
    tool: str
    effect: Effect
    arguments: dict[str, Any]
    origins: Annotated[dict[str, str], Field(description="Where each argument comes from, by its path.")]
    digest: str
    status: ApprovalStatus
    reason: str | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class Run(View):
    """One request and what became of it."""

    id: str
    thread_id: str
    status: RunStatus
    input: str
    model: str
    answer: Annotated[str, Field(description="Empty until there is one.")]
    usage: UsageInfo
    error: ErrorInfo | None
    approvals: Annotated[list[Approval], Field(description="Those that the run waits for.")]
    last_sequence: Annotated[int, Field(description="Of its events so far.")]
    created_at: datetime
    finished_at: datetime | None


async def view_run(db: Prisma, where: RunWhereInput) -> Run | None:
    """The run that `where` names; None when there is none."""
    row = await db.run.find_first(
        where=where, include={"approvals": {"where": {"status": "pending"}, "order_by": {"created_at": "asc"}}}
    )
    if row is None:
        return None
    said = await db.message.find_first(
        where={"run_id": row.id, "role": "assistant", "content": {"not": ""}}, order={"position": "desc"}
    )
    error = ErrorInfo(code=row.error_code, message=row.error_message or "") if row.error_code else None
    return Run(
        id=row.id,
        thread_id=row.thread_id,
        status=row.status.value,
        input=row.input,
        model=row.model,
        answer=said.content if said is not None and row.status in ENDED else "",
        usage=UsageInfo(input_tokens=row.input_tokens, output_tokens=row.output_tokens, steps=row.steps),
        error=error,
        approvals=[Approval.model_validate(approval) for approval in row.approvals or []],
        last_sequence=row.last_sequence,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
