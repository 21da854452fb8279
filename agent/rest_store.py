"""Runs that come to rest: each in one transaction with its messages and its last event, fenced by `Run.attempt`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agent.conversation import message_row, whole
from agent.durable.base import WorkLost
from agent.ending import Ending
from agent.event_store import TX_WAIT, again
from agent.events import ErrorInfo
from agent.messages import ChatMessage
from agent.records import RunStatus, StoredEvent
from agent.state import RunState, Snapshot

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.types import EffectWhereInput, RunWhereInput


OnRest = Callable[["Prisma", str], Awaitable[None]]
"""Called in the transaction that brings a run to rest, with its id."""


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
class RestStore:
    """Brings runs to rest in the database."""

    db: Prisma
    clock: Callable[[], datetime]
    on_rest: OnRest | None = None

    async def rest(self, rest: Rest) -> bool:
        """Bring a run to rest: status, state, messages and last event at once.

        Returns:
            False when the run was to wait but everything is decided already, or it was cancelled, so it must go on;
            nothing is changed.
        """
        async for attempt in again():
            with attempt:
                if attempt.number > 1 and await self._rested(rest):
                    return True  # it was committed, and the answer lost
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    return await self._rest(tx, rest)
        raise AssertionError("the last attempt returns or raises")

    async def _rested(self, rest: Rest) -> bool:
        final = await self.db.event.find_first(where={"run_id": rest.run_id, "sequence": rest.final.sequence})
        return final is not None and (final.type, final.data.encode()) == (rest.final.type, rest.final.data)

    async def _rest(self, tx: Prisma, rest: Rest) -> bool:
        now, waits, usage, error = self.clock(), rest.status == "waiting", rest.state["usage"], rest.error
        timing = rest.state["timing"]
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
                    "queue_ms": timing.queue_ms,
                    "first_token_ms": timing.first_token_ms,
                    "generation_ms": timing.generation_ms,
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
