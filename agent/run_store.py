"""Runs in the database: begun, at rest, ended. Every change of a run's status is one transaction here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import BaseModel

from agent.conversation import message_row, whole
from agent.durable.base import WorkLost
from agent.ending import Ending
from agent.errors import IdempotencyConflict, RunNotFound, ThreadBusy, ThreadNotFound
from agent.event_store import again
from agent.events import ErrorInfo, UsageInfo
from agent.messages import ChatMessage
from agent.principal import Principal
from agent.records import ENDED, RunRecord, RunStatus, StoredEvent
from agent.state import RunState, Snapshot
from prisma.errors import UniqueViolationError

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Run
    from prisma.client.types import EffectWhereInput, RunWhereInput

TX_WAIT = 30.0  # seconds to wait for a connection
ACTIVE: tuple[RunStatus, ...] = ("queued", "running", "waiting")
WORKING: tuple[RunStatus, ...] = ("queued", "running")

WhenBusy = Literal["reject", "enqueue", "interrupt"]
OnRest = Callable[["Prisma", str], Awaitable[None]]
"""Called in the transaction that brings a run to rest, with its id."""


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


class StoredRequest(BaseModel):
    """What of a request another process needs to begin its run. `interrupts`: runs that end for it."""

    principal: Principal
    documents: list[tuple[str, str]] = []
    interrupts: list[str] = []


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
class Rest:
    """A run's state at the end of a stretch of work. `final` is its `run.finished`, numbered.

    `attempt` is the fencing token: when it is not the run's any more, another process has taken over.
    """

    run_id: str
    thread_id: str
    attempt: int
    status: RunStatus
    state: RunState
    snapshot: Snapshot
    final: StoredEvent
    error: ErrorInfo | None


@dataclass(frozen=True, slots=True)
class RunStore:
    """Reads and writes `runs`, and the messages and last events that belong to a change of status."""

    db: Prisma
    clock: Callable[[], datetime]
    on_rest: OnRest | None = None

    async def create(self, new: NewRun) -> Created:
        """Record a run as `running`, or as `queued` when it must wait.

        Raises:
            ThreadNotFound, ThreadBusy, IdempotencyConflict: Nothing was recorded.
        """
        run_id = uuid4().hex  # chosen here: it tells whether a commit whose answer was lost took place
        try:
            async for attempt in again():
                with attempt:
                    return await self._insert(new, run_id, retried=attempt.retry_state.attempt_number > 1)
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
            where={"tenant_id": new.principal.tenant_id, "idempotency_key": new.idempotency_key}
        )
        if row is not None and row.request_digest != new.request_digest:
            raise IdempotencyConflict("This idempotency key was used for another request.")
        return None if row is None else row.id

    async def _insert(self, new: NewRun, run_id: str, *, retried: bool) -> Created:
        now = self.clock()
        tenant_id, thread_id = new.principal.tenant_id, new.thread_id
        async with self.db.tx(max_wait=TX_WAIT) as tx:
            # The update locks the thread's row, so of two requests at once the second sees the first one's run.
            found = await tx.thread.update_many(
                data={"updated_at": now}, where={"id": thread_id, "tenant_id": tenant_id, "deleted_at": None}
            )
            if not found:
                raise ThreadNotFound(thread_id)
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
        request = StoredRequest(principal=new.principal, documents=list(new.documents), interrupts=interrupts)
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
                "idempotency_key": new.idempotency_key,
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

    async def find(self, run_id: str, *, tenant_id: str | None = None) -> Run:
        """The row.

        Raises:
            RunNotFound: There is none, or it is another company's.
        """
        row = await self.db.run.find_unique(where={"id": run_id})
        if row is None or (tenant_id is not None and row.tenant_id != tenant_id):
            raise RunNotFound(run_id)
        return row

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

    async def rest(self, rest: Rest) -> bool:
        """Bring a run to rest: status, state, messages and last event at once.

        Returns:
            False when the run was to wait but everything is decided already, or it was cancelled, so it must go on;
            nothing is changed.
        """
        async for attempt in again():
            with attempt:
                if attempt.retry_state.attempt_number > 1 and await self._rested(rest):
                    return True  # it was committed, and the answer lost
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    return await self._rest(tx, rest)
        raise AssertionError("the last attempt returns or raises")

    async def _rested(self, rest: Rest) -> bool:
        final = await self.db.event.find_first(where={"run_id": rest.run_id, "sequence": rest.final.sequence})
        return final is not None and (final.type, final.data.encode()) == (rest.final.type, rest.final.data)

    async def _rest(self, tx: Prisma, rest: Rest) -> bool:
        now, waits, usage, error = self.clock(), rest.status == "waiting", rest.state["usage"], rest.error
        messages = rest.state["messages"]
        stored = whole(messages) if waits else len(messages)
        snapshot = rest.snapshot.model_dump(mode="json")
        mine: RunWhereInput = {"id": rest.run_id, "attempt": rest.attempt}
        if waits:
            snapshot["state"]["stored"] = stored
            # Lock the run's row before its approvals, as decisions do.
            await _held(tx.run.update_many(data={"updated_at": now}, where=mine))
            if not await tx.approval.count(where={"run_id": rest.run_id, "status": "pending"}):
                return False
            if await tx.run.count(where={"id": rest.run_id, "cancel_requested_at": {"not": None}}):
                return False
        await _held(
            tx.run.update_many(
                data={
                    "status": rest.status,
                    "state": snapshot,
                    "last_sequence": rest.final.sequence,
                    "recoveries": 0,
                    "input_tokens": usage.input_tokens,
                    "output_tokens": usage.output_tokens,
                    "steps": usage.steps,
                    "error_code": error.code if error else None,
                    "error_message": error.message if error else None,
                    "finished_at": None if waits else now,
                },
                where=mine,
            )
        )
        await self._append(tx, rest.thread_id, rest.run_id, messages[rest.state["stored"] : stored])
        await _store_final(tx, rest.run_id, rest.final)
        if waits:
            await self._tell_rest(tx, rest.run_id)
        else:
            if any(call.approval_id is not None for call in rest.state["planned"]):
                await _void_approvals(tx, rest.run_id, now)
            await self._ended(tx, rest.run_id, had_calls=any(message.calls for message in messages))
        return True

    async def _ended(self, tx: Prisma, run_id: str, *, had_calls: bool = True) -> None:
        if had_calls:
            await _void_reservations(tx, run_id, self.clock())
        await self._tell_rest(tx, run_id)

    async def _tell_rest(self, tx: Prisma, run_id: str) -> None:
        if self.on_rest is not None:
            await self.on_rest(tx, run_id)

    async def _append(self, tx: Prisma, thread_id: str, run_id: str, messages: Sequence[ChatMessage]) -> None:
        if not messages:
            return
        last = await tx.message.find_first(where={"thread_id": thread_id}, order={"position": "desc"})
        position = 0 if last is None else last.position + 1
        for index, message in enumerate(messages, start=position):
            # One plan serves all; `create_many` needs one for each number of rows.
            await tx.message.create(message_row(message, thread_id=thread_id, run_id=run_id, position=index))

    async def end_resting(
        self, run_id: str, *, was: Sequence[RunStatus], ending: Ending, messages: Sequence[ChatMessage], final: bytes
    ) -> StoredEvent | None:
        """End a run that nobody works on. Returns its last event; None when its status is not one of `was` any more.

        Whoever believes to work on it may write nothing more.
        """
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    now, error = self.clock(), ending.error
                    taken = await tx.run.update_many(
                        data={
                            "status": ending.status,
                            "attempt": {"increment": 1},
                            "error_code": error.code if error else None,
                            "error_message": error.message if error else None,
                            "finished_at": now,
                        },
                        where={"id": run_id, "status": {"in": list(was)}},
                    )
                    if not taken:
                        return None
                    row = await tx.run.find_unique_or_raise(where={"id": run_id})
                    last = await tx.event.find_first(where={"run_id": run_id}, order={"sequence": "desc"})
                    sequence = max(row.last_sequence, last.sequence if last is not None else 0) + 1
                    event = StoredEvent(sequence, "run.finished", final)
                    await _void_approvals(tx, run_id, now)
                    await self._append(tx, row.thread_id, run_id, messages)
                    await _store_final(tx, run_id, event)
                    await tx.run.update_many(data={"last_sequence": sequence}, where={"id": run_id})
                    await self._ended(tx, run_id)
                    return event
        raise AssertionError("the last attempt returns or raises")

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


async def _held(update: Awaitable[int]) -> None:
    """Await a fenced update.

    Raises:
        WorkLost: The token is not the run's any more.
    """
    if not await update:
        raise WorkLost("Another process has taken this run over.")


async def _void_reservations(tx: Prisma, run_id: str, now: datetime) -> None:
    """What nobody started will not start; of what was started somewhere nobody knows the end."""
    reserved: EffectWhereInput = {"run_id": run_id, "status": "reserved"}
    await tx.effect.update_many(
        data={"status": "failed", "error_code": "run_ended", "finished_at": now}, where={**reserved, "started_at": None}
    )
    await tx.effect.update_many(data={"status": "needs_reconcile", "finished_at": now}, where=reserved)


async def _void_approvals(tx: Prisma, run_id: str, now: datetime) -> None:
    await tx.approval.update_many(
        data={"status": "void", "decided_at": now}, where={"run_id": run_id, "status": "pending"}
    )


async def _store_final(tx: Prisma, run_id: str, event: StoredEvent) -> None:
    await tx.event.create(
        data={"run_id": run_id, "sequence": event.sequence, "type": event.type, "data": event.data.decode()}
    )
