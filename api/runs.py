"""Runs, read from the database for one caller."""

from __future__ import annotations

from agent.events import ErrorInfo, UsageInfo
from agent.principal import Principal
from api.problems import Problem
from api.resources import Approval, Run
from prisma import Prisma

ENDED = ("succeeded", "failed", "cancelled")


def run_not_found(run_id: str) -> Problem:
    return Problem(404, "run_not_found", f"No run {run_id!r}.")


async def find_run(db: Prisma, principal: Principal, run_id: str) -> Run:
    """A run as the API shows it.

    Raises:
        Problem: 404 when it is not there or is another company's.
    """
    row = await db.run.find_first(
        where={"id": run_id, "tenant_id": principal.tenant_id},
        include={"approvals": {"where": {"status": "pending"}, "order_by": {"created_at": "asc"}}},
    )
    if row is None:
        raise run_not_found(run_id)
    said = await db.message.find_first(
        where={"run_id": run_id, "role": "assistant", "content": {"not": ""}}, order={"position": "desc"}
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


async def nothing_more(db: Prisma, principal: Principal, run_id: str, *, after: int) -> bool:
    """Whether the run has ended and has no event above `after`.

    Raises:
        Problem: 404 when it is not there or is another company's.
    """
    row = await db.run.find_first(where={"id": run_id, "tenant_id": principal.tenant_id})
    if row is None:
        raise run_not_found(run_id)
    return row.status in ENDED and after >= row.last_sequence
