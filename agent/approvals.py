"""A person's word on one call: bound to a digest, single use, expiring.

Single use needs no column: the call that an approval names can run only once, by the ledger. Every change locks the
run's row first, so of two decisions, or a decision and a cancellation, one is first and the other sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from agent import access
from agent.audit import shown_origins
from agent.errors import ApprovalDigestMismatch, ApprovalNotFound, ApprovalNotPending
from agent.event_store import TX_WAIT, again
from agent.principal import NOBODY, Principal
from agent.state import PlannedCall
from prisma import Prisma
from prisma.errors import UniqueViolationError, WriteConflictError
from tools.registry import AnyTool

if TYPE_CHECKING:
    from prisma.client.models import Approval

Answer = Literal["pending", "approved", "rejected", "expired", "void"]


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an approval. `reason` is the person's, empty when none was given."""

    answer: Answer
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded decision. `goes_on`: it was the last that the run waited for, whose status is `running` now.
    `overdue`: it came too late, so the call will not run."""

    run_id: str
    goes_on: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of all runs."""

    db: Prisma
    clock: Callable[[], datetime]

    async def ask(
        self, *, tenant_id: str, run_id: str, tool: AnyTool, call: PlannedCall, lifetime: timedelta
    ) -> tuple[str, datetime]:
        """Put a call before a person. Asked again after a crash, the same question. Returns its id and its end."""
        async for attempt in again():
            with attempt, _asked_by_another():
                row = await self.db.approval.upsert(
                    where={"run_id_call_id_digest": {"run_id": run_id, "call_id": call.id, "digest": call.digest}},
                    data={
                        "create": {
                            "tenant_id": tenant_id,
                            "run_id": run_id,
                            "call_id": call.id,
                            "digest": call.digest,
                            "tool": tool.name,
                            "effect": tool.effect,
                            "arguments": call.arguments,
                            "origins": call.origins,
                            "expires_at": self.clock() + lifetime,
                        },
                        "update": {},
                    },
                )
                return row.id, row.expires_at
        raise AssertionError("the last attempt returns or raises")

    async def answers(self, calls: Sequence[PlannedCall]) -> Mapping[str, Decided]:
        """What was decided so far, by call id. An approval that is gone, or of other arguments, counts as void."""
        wanted = {call.approval_id: call for call in calls if call.approval_id is not None}
        if not wanted:
            return {}
        rows = {row.id: row for row in await self.db.approval.find_many(where={"id": {"in": list(wanted)}})}
        found: dict[str, Decided] = {}
        for approval_id, call in wanted.items():
            row = rows.get(approval_id)
            if row is None or (row.call_id, row.digest) != (call.id, call.digest):
                found[call.id] = Decided("void", "What was decided is not this call.")
            else:
                found[call.id] = Decided(row.status.value, row.reason or "")
        return found

    async def decide(
        self,
        approval_id: str,
        *,
        approve: bool,
        digest: str,
        reason: str | None,
        principal: Principal,
        owner_id: str,
        self_approval: bool = True,
    ) -> Decision:
        """Record a decision; when it comes too late, record that. If the run goes on, `owner_id` works on it.

        Args:
            self_approval: Whoever asked for the run may approve.

        Raises:
            ApprovalNotFound, Forbidden, ApprovalNotPending, ApprovalDigestMismatch: Nothing was recorded.
        """
        row = await self.db.approval.find_first(
            where={**access.approvals(principal), "id": approval_id},
            include={"run": {"omit": {"state": True, "request": True}}},
        )
        if row is None:
            raise ApprovalNotFound(approval_id)
        access.check_decide(principal, row.run.user_id, approve=approve, self_approval=self_approval)
        if row.digest != digest:
            raise ApprovalDigestMismatch("The call is not the one that was shown; look at it again.")
        now = _to_milliseconds(self.clock())
        overdue = row.expires_at <= now
        status: Answer = "expired" if overdue else "approved" if approve else "rejected"
        user_id = principal.user_id
        by = None if overdue else user_id
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    await tx.run.update_many(data={"updated_at": now}, where={"id": row.run_id})
                    decided = await tx.approval.update_many(
                        data={
                            "status": status,
                            "reason": reason,
                            "decided_by_id": by,
                            "decided_at": now,
                        },
                        where={"id": approval_id, "status": "pending"},
                    )
                    if decided:
                        await _note(tx, row, now, overdue=overdue, approve=approve, reason=reason, user_id=user_id)
                        goes_on = await self._go_on(tx, row.run_id, owner_id)
                    elif attempt.number > 1 and await tx.approval.count(
                        where={"id": approval_id, "status": status, "decided_at": now, "decided_by_id": by}
                    ):  # it was committed, and the answer lost
                        goes_on = bool(
                            await tx.run.count(where={"id": row.run_id, "status": "running", "owner_id": owner_id})
                        )
                    else:
                        raise ApprovalNotPending("This was decided already, or its run has ended.")
                return Decision(row.run_id, goes_on=goes_on, overdue=overdue)
        raise AssertionError("the last attempt returns or raises")

    async def _go_on(self, tx: Prisma, run_id: str, owner_id: str) -> bool:
        if await tx.approval.count(where={"run_id": run_id, "status": "pending"}):
            return False
        begun = await tx.run.update_many(
            data={
                "status": "running",
                "owner_id": owner_id,
                "attempt": {"increment": 1},
                "stretch": {"increment": 1},
            },
            where={"id": run_id, "status": "waiting"},
        )
        return bool(begun)

    async def overdue(self) -> Sequence[tuple[str, str, str]]:
        """Id, digest and tenant of pending approvals whose time is over."""
        rows = await self.db.approval.find_many(
            where={"status": "pending", "expires_at": {"lte": self.clock()}}, take=100
        )
        return [(row.id, row.digest, row.tenant_id) for row in rows]


@contextmanager
def _asked_by_another() -> Generator[None]:
    """Who lost the run asks in the same moment: try again, and find the question."""
    try:
        yield
    except UniqueViolationError as error:
        raise WriteConflictError(str(error)) from error


def _to_milliseconds(at: datetime) -> datetime:
    """As the databases keep it, so that it can be found again."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def _note(
    tx: Prisma, row: Approval, now: datetime, *, overdue: bool, approve: bool, reason: str | None, user_id: str | None
) -> None:
    """A person's word in the audit, or that nobody gave it in time: with where the arguments came from, not what they
    are."""
    await tx.auditentry.create(
        data={
            "tenant_id": row.tenant_id,
            "at": now,
            "actor": "deskclerk" if overdue else user_id or NOBODY,
            "action": "approval.decide",
            "subject": f"{row.run_id}:{row.call_id}",
            "verdict": "expired" if overdue else "approved" if approve else "rejected",
            "details": {
                "approval_id": row.id,
                "digest": row.digest,
                "tool": row.tool,
                "effect": row.effect.value,
                "reason": reason,
                "origins": shown_origins(cast("dict[str, Any]", row.origins)),
            },
        }
    )
