"""Runs in the database: recorded, begun, claimed, cancelled. Every change of a run's status is one transaction here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import BaseModel

from agent import access
from agent.durable.base import WorkLost
from agent.errors import IdempotencyConflict, RunNotFound, ThreadBusy, ThreadNotFound
from agent.event_store import TX_WAIT, again
from agent.events import ErrorInfo, UsageInfo
from agent.options import NO_OPTIONS, RunOptions
from agent.principal import Principal
from agent.records import ENDED, RunRecord, RunStatus
from prisma.errors import UniqueViolationError

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Run
    from prisma.client.types import RunWhereInput

ACTIVE: tuple[RunStatus, ...] = ("queued", "running", "waiting")
WORKING: tuple[RunStatus, ...] = ("queued", "running")

WhenBusy = Literal["reject", "enqueue", "interrupt"]


@dataclass(frozen=True, slots=True)
class NewRun:
    """A request to record.

    Attributes:
        documents: Attached ones, (id, name).
        owner_id: The replica that will work on it.
        queued: There is no room to begin at once.
        when_busy: What to do while another run of the thread has not ended.
    """

    thread_id: str
    input: str
    model: str
    principal: Principal
    documents: Sequence[tuple[str, str]]
    owner_id: str
    idempotency_key: str | None
    request_digest: str
    queued: bool = False
    when_busy: WhenBusy = "reject"
    options: RunOptions = NO_OPTIONS


class StoredRequest(BaseModel):
    """What of a request another process needs to begin its run. `interrupts`: runs that end for it."""

    principal: Principal
    documents: list[tuple[str, str]] = []
    interrupts: list[str] = []
    options: RunOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Created:
    """A recorded run. Not new when its key came before.

    Attributes:
        queued: It must wait for its turn.
        unfinished: Runs of the thread that had not ended.
        first: The thread had no run before.
        last_state: What the thread's last run left; None when it left nothing.
    """

    run_id: str
    is_new: bool
    queued: bool = False
    unfinished: Sequence[str] = ()
    first: bool = True
    last_state: Any = None


@dataclass(frozen=True, slots=True)
class RunStore:
    """Reads and writes `runs` until they rest; see `agent/rest_store.py` for that."""

    db: Prisma
    clock: Callable[[], datetime]

    async def create(self, new: NewRun) -> Created:
        """Record a run as `running`, or as `queued` when it must wait.

        Raises:
            ThreadNotFound, ThreadBusy, IdempotencyConflict: Nothing was recorded.
        """
        run_id = uuid4().hex  # chosen here: it tells whether a commit whose answer was lost took place
        try:
            async for attempt in again():
                with attempt:
                    return await self._insert(new, run_id, retried=attempt.number > 1)
        except (UniqueViolationError, ThreadBusy):
            known = await self.known(new)  # the same request, a moment ago
            if known is None:
                raise
            return Created(known, is_new=False)
        raise AssertionError("the last attempt returns or raises")

    async def known(self, new: NewRun) -> str | None:
        """The run that this request began before, by its key.

        Raises:
            IdempotencyConflict: The key came with another request.
        """
        if new.idempotency_key is None:
            return None
        row = await self.db.run.find_first(
            where={
                "tenant_id": new.principal.tenant_id,
                "idempotency_key": stored_key(new.principal, new.idempotency_key),
            }
        )
        if row is not None and row.request_digest != new.request_digest:
            raise IdempotencyConflict("This idempotency key was used for another request.")
        return None if row is None else row.id

    async def _insert(self, new: NewRun, run_id: str, *, retried: bool) -> Created:
        now = self.clock()
        principal, thread_id = new.principal, new.thread_id
        async with self.db.tx(max_wait=TX_WAIT) as tx:
            # The update locks the thread's row, so of two requests at once the second sees the first one's run.
            found = await tx.thread.update_many(
                data={"updated_at": now},
                where={**access.threads(principal), "id": thread_id, "user_id": principal.user_id},
            )
            if not found:
                await _explain(tx, principal, thread_id)
            others: RunWhereInput = {"thread_id": thread_id, "id": {"not": run_id}}
            before = await tx.run.find_many(where=others, order={"created_at": "desc"}, take=1)
            unfinished: list[str] = []
            if before:
                rows = await tx.run.find_many(where={**others, "status": {"in": list(ACTIVE)}})
                unfinished = [row.id for row in rows]
            row = await tx.run.find_unique(where={"id": run_id}) if retried else None
            if row is None:
                if unfinished and new.when_busy == "reject":
                    raise ThreadBusy("A run of this thread has not ended: decide its approvals, wait, or cancel it.")
                row = await self._insert_row(tx, new, run_id, unfinished, now=now)
            queued = row.status == "queued"
            left = before[0].state if before and not queued else None
            return Created(row.id, is_new=True, queued=queued, unfinished=unfinished, first=not before, last_state=left)

    async def _insert_row(
        self, tx: Prisma, new: NewRun, run_id: str, unfinished: Sequence[str], *, now: datetime
    ) -> Run:
        queued = new.queued or bool(unfinished)
        interrupts = list(unfinished) if new.when_busy == "interrupt" else []
        request = StoredRequest(
            principal=new.principal, documents=list(new.documents), interrupts=interrupts, options=new.options
        )
        if interrupts:  # those that wait for a person are ended when this is committed: see `Agent.submit`
            await tx.run.update_many(
                data={"cancel_requested_at": now}, where={"id": {"in": interrupts}, "status": {"in": list(WORKING)}}
            )
        return await tx.run.create(
            data={
                "id": run_id,
                "tenant_id": new.principal.tenant_id,
                "thread_id": new.thread_id,
                "user_id": new.principal.user_id,
                "status": "queued" if queued else "running",
                "input": new.input,
                "model": new.model,
                "idempotency_key": stored_key(new.principal, new.idempotency_key),
                "request_digest": new.request_digest,
                "request": request.model_dump(mode="json"),
                "owner_id": new.owner_id,
                "attempt": 1,
                "started_at": None if queued else now,
            }
        )

    async def last_state(self, thread_id: str, *, but: str) -> tuple[bool, Any]:
        """Whether the thread had runs besides `but`, and what the last of them left."""
        rows = await self.db.run.find_many(
            where={"thread_id": thread_id, "id": {"not": but}, "status": {"in": ["succeeded", "failed", "cancelled"]}},
            order={"created_at": "desc"},
            take=1,
        )
        return (False, None) if not rows else (True, rows[0].state)

    async def claim(self, run_id: str, *, stretch: int, owner_id: str) -> Run | None:
        """Take over a stretch of work that another process began: whoever worked on it may write nothing more.

        Returns:
            The row; None when this stretch is over.
        """
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    taken = await tx.run.update_many(
                        data={"owner_id": owner_id, "attempt": {"increment": 1}, "recoveries": {"increment": 1}},
                        where={"id": run_id, "stretch": stretch, "status": {"in": list(WORKING)}},
                    )
                    return await tx.run.find_unique(where={"id": run_id}) if taken else None
        raise AssertionError("the last attempt returns or raises")

    async def begin(self, run_id: str, *, attempt: int) -> bool:
        """Let a queued run begin, if it is its turn in its thread.

        Raises:
            WorkLost: Another process works on it.
        """
        now = self.clock()
        async for trial in again():
            with trial:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    row = await tx.run.find_unique(where={"id": run_id})
                    if row is None or row.attempt != attempt:
                        raise WorkLost(run_id)
                    await tx.thread.update_many(data={"updated_at": now}, where={"id": row.thread_id})
                    if await self._busy(tx, row):
                        return False
                    begun = await tx.run.update_many(
                        data={"status": "running", "started_at": now},
                        where={"id": run_id, "attempt": attempt, "status": {"in": list(WORKING)}},
                    )
                    if not begun:
                        raise WorkLost(run_id)
                    return True
        raise AssertionError("the last attempt returns or raises")

    async def is_turn(self, run_id: str) -> bool:
        """Whether nothing of its thread comes before this run."""
        row = await self.find(run_id)
        return not await self._busy(self.db, row)

    async def _busy(self, db: Prisma, row: Run) -> bool:
        """A run of the thread is at work, waits for a person, or came earlier."""
        return bool(
            await db.run.count(
                where={
                    "thread_id": row.thread_id,
                    "id": {"not": row.id},
                    "OR": [
                        {"status": {"in": ["running", "waiting"]}},
                        {"status": "queued", "created_at": {"lt": row.created_at}},
                        {"status": "queued", "created_at": row.created_at, "id": {"lt": row.id}},
                    ],
                }
            )
        )

    async def request_cancel(self, run_id: str) -> bool:
        """Tell the replica that works on the run to stop. False when nobody works on it."""
        return bool(
            await self.db.run.update_many(
                data={"cancel_requested_at": self.clock()}, where={"id": run_id, "status": {"in": list(WORKING)}}
            )
        )

    async def cancels_for(self, owner_id: str) -> list[str]:
        """Runs of this replica that somebody wants cancelled and that do not know it yet."""
        asked: RunWhereInput = {"cancel_requested_at": {"not": None}, "cancel_seen_at": None}
        rows = await self.db.run.find_many(
            where={"owner_id": owner_id, "status": {"in": list(WORKING)}, "AND": [asked]}
        )
        return [row.id for row in rows]

    async def cancel_seen(self, run_ids: Sequence[str]) -> None:
        """From now on no tool of these runs starts."""
        await self.db.run.update_many(data={"cancel_seen_at": self.clock()}, where={"id": {"in": list(run_ids)}})

    async def find(self, run_id: str, *, principal: Principal | None = None) -> Run:
        """The row.

        Args:
            principal: When given, what they cannot see is not found.

        Raises:
            RunNotFound: There is none.
        """
        if principal is None:
            row = await self.db.run.find_unique(where={"id": run_id})
        else:
            row = await self.db.run.find_first(where={**access.runs(principal), "id": run_id})
        if row is None:
            raise RunNotFound(run_id)
        return row

    async def working_of(self, user_id: str) -> int:
        """How many runs of a user are at work or wait for that, in all processes."""
        return await self.db.run.count(where={"user_id": user_id, "status": {"in": list(WORKING)}})

    async def record(self, run_id: str) -> RunRecord:
        """The run as a reader sees it."""
        row = await self.find(run_id)
        said = await self.db.message.find_first(
            where={"run_id": run_id, "role": "assistant", "content": {"not": ""}}, order={"position": "desc"}
        )
        status: RunStatus = row.status.value
        return RunRecord(
            id=row.id,
            tenant_id=row.tenant_id,
            thread_id=row.thread_id,
            status=status,
            input=row.input,
            model=row.model,
            answer=said.content if said is not None and status in ENDED else "",
            created_at=row.created_at,
            finished_at=row.finished_at,
            usage=UsageInfo(input_tokens=row.input_tokens, output_tokens=row.output_tokens, steps=row.steps),
            error=ErrorInfo(code=row.error_code, message=row.error_message or "") if row.error_code else None,
        )

    async def not_owned_by(self, owner_ids: Sequence[str]) -> list[Run]:
        """Runs that are said to be at work, and by none of these replicas."""
        return await self.db.run.find_many(
            where={
                "status": {"in": list(WORKING)},
                "OR": [{"owner_id": None}, {"owner_id": {"not_in": list(owner_ids)}}],
            }
        )

    async def owned_by(self, owner_id: str) -> list[Run]:
        """Runs that this replica began and has not brought to rest."""
        return await self.db.run.find_many(
            where={"owner_id": owner_id, "status": {"in": list(WORKING)}}, order={"created_at": "asc"}
        )


def stored_key(principal: Principal, key: str | None) -> str | None:
    """Keys are each user's own: nobody finds another's run by its key. No header holds a line feed."""
    return key if key is None or principal.user_id is None else f"{principal.user_id}\n{key}"


async def _explain(tx: Prisma, principal: Principal, thread_id: str) -> None:
    """Why nothing can be asked in this thread.

    Raises:
        ThreadNotFound, NotYours
    """
    row = await tx.thread.find_first(where={**access.threads(principal), "id": thread_id})
    if row is None:
        raise ThreadNotFound(thread_id)
    access.check_speak(principal, row.user_id)
