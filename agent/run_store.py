"""Runs in the database: begun, at rest, ended. Every change of a run's status is one transaction here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.conversation import message_row, whole
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

TX_WAIT = 30.0  # seconds to wait for a connection
LATEST = 3  # runs of a thread, newest first, among which one that has not ended must be


@dataclass(frozen=True, slots=True)
class NewRun:
    """A request to record."""

    thread_id: str
    input: str
    model: str
    principal: Principal
    idempotency_key: str | None
    request_digest: str


@dataclass(frozen=True, slots=True)
class Created:
    """A recorded run. Not new when its key came before.

    Attributes:
        first: The thread had no run before.
        last_state: What the thread's last run left; None when it left nothing.
    """

    run_id: str
    is_new: bool
    first: bool = True
    last_state: Any = None


@dataclass(frozen=True, slots=True)
class Rest:
    """A run's state at the end of a stretch of work. `final` is its `run.finished`, numbered."""

    run_id: str
    thread_id: str
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

    async def create(self, new: NewRun) -> Created:
        """Record a run as `running`.

        Raises:
            ThreadNotFound, ThreadBusy, IdempotencyConflict: Nothing was recorded.
        """
        if new.idempotency_key is not None and (known := await self._by_key(new)) is not None:
            return Created(known, is_new=False)
        try:
            async for attempt in again():
                with attempt:
                    return await self._insert(new)
        except UniqueViolationError:
            known = await self._by_key(new)
            if known is None:
                raise
            return Created(known, is_new=False)
        raise AssertionError("the last attempt returns or raises")

    async def _by_key(self, new: NewRun) -> str | None:
        row = await self.db.run.find_first(
            where={"tenant_id": new.principal.tenant_id, "idempotency_key": new.idempotency_key}
        )
        if row is not None and row.request_digest != new.request_digest:
            raise IdempotencyConflict("This idempotency key was used for another request.")
        return None if row is None else row.id

    async def _insert(self, new: NewRun) -> Created:
        now = self.clock()
        async with self.db.tx(max_wait=TX_WAIT) as tx:
            # The update locks the thread's row, so of two requests at once the second sees the first one's run.
            found = await tx.thread.update_many(
                data={"updated_at": now}, where={"id": new.thread_id, "tenant_id": new.principal.tenant_id}
            )
            if not found:
                raise ThreadNotFound(new.thread_id)
            before = await tx.run.find_many(
                where={"thread_id": new.thread_id}, order={"created_at": "desc"}, take=LATEST
            )
            if any(run.status not in ENDED for run in before):
                raise ThreadBusy("A run of this thread has not ended: decide its approvals, wait, or cancel it.")
            row = await tx.run.create(
                data={
                    "tenant_id": new.principal.tenant_id,
                    "thread_id": new.thread_id,
                    "user_id": new.principal.user_id,
                    "status": "running",
                    "input": new.input,
                    "model": new.model,
                    "idempotency_key": new.idempotency_key,
                    "request_digest": new.request_digest,
                    "started_at": now,
                }
            )
            left = next((run.state for run in before if run.state is not None), None)
            return Created(row.id, is_new=True, first=not before, last_state=left)

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
            False when the run was to wait but everything is decided already, so it must go on; nothing is changed.
        """
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    return await self._rest(tx, rest)
        raise AssertionError("the last attempt returns or raises")

    async def _rest(self, tx: Prisma, rest: Rest) -> bool:
        now, waits, usage, error = self.clock(), rest.status == "waiting", rest.state["usage"], rest.error
        asked = any(call.approval_id is not None for call in rest.state["planned"])
        if asked:  # lock the run's row before its approvals, as decisions do
            await tx.run.update_many(data={"updated_at": now}, where={"id": rest.run_id})
        if waits and not await tx.approval.count(where={"run_id": rest.run_id, "status": "pending"}):
            return False
        messages = rest.state["messages"]
        stored = whole(messages) if waits else len(messages)
        await self._append(tx, rest.thread_id, rest.run_id, messages[rest.state["stored"] : stored])
        await _store_final(tx, rest.run_id, rest.final)
        snapshot = rest.snapshot.model_dump(mode="json")
        if waits:
            snapshot["state"]["stored"] = stored
        elif asked:
            await _void_approvals(tx, rest.run_id, now)
        await tx.run.update_many(
            data={
                "status": rest.status,
                "state": snapshot,
                "last_sequence": rest.final.sequence,
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "steps": usage.steps,
                "error_code": error.code if error else None,
                "error_message": error.message if error else None,
                "finished_at": None if waits else now,
            },
            where={"id": rest.run_id},
        )
        return True

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
        """End a run that nobody works on. Returns its last event; None when its status is not one of `was` any more."""
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    now, error = self.clock(), ending.error
                    taken = await tx.run.update_many(
                        data={
                            "status": ending.status,
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
                    return event
        raise AssertionError("the last attempt returns or raises")

    async def unfinished(self) -> list[Run]:
        """Runs that claim to be at work."""
        return await self.db.run.find_many(where={"status": {"in": ["queued", "running"]}}, order={"created_at": "asc"})


async def _void_approvals(tx: Prisma, run_id: str, now: datetime) -> None:
    await tx.approval.update_many(
        data={"status": "void", "decided_at": now}, where={"run_id": run_id, "status": "pending"}
    )


async def _store_final(tx: Prisma, run_id: str, event: StoredEvent) -> None:
    await tx.event.create(
        data={"run_id": run_id, "sequence": event.sequence, "type": event.type, "data": event.data.decode()}
    )
