"""Brings runs to rest: those that worked here, and those that nobody works on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from agent.call_step import answer_unanswered
from agent.deeds import deed
from agent.deps import Services
from agent.durable.base import WorkLost
from agent.emitter import encode
from agent.ending import CANCELLED, Ending
from agent.event_log import EventLog, RunLog
from agent.events import FinalStatus, RunFinished, UsageInfo
from agent.messages import ChatMessage
from agent.observer import RunRested
from agent.records import StoredEvent
from agent.rest_store import Rest, RestStore
from agent.run_store import RunStore
from agent.state import RunState, Snapshot, dump_state, load_state
from agent.steps import HandedOver
from agent.work import Opened, Work, tokens_of

if TYPE_CHECKING:
    from prisma.client.models import Run

log = logging.getLogger(__name__)

RETRY_INTERVAL = 1.0  # seconds between two attempts to record a run's rest while the database is away


@dataclass(slots=True)
class Resting:
    """Ends runs, or lets them wait.

    Args:
        told: Called with a run's id once its rest is recorded.
        forget: Called when a run does not work here any more, before its readers hear of it.
        stopping: Whether this process stops: what cannot be recorded is handed over.
    """

    services: Services
    runs: RunStore
    rests: RestStore
    events: EventLog
    told: Callable[[str], None]
    forget: Callable[[Work], None]
    stopping: Callable[[], bool]

    async def rest(self, work: Work, opened: Opened) -> bool:
        """Bring the run to rest. False when it must go on at once, because everything is decided already.

        Raises:
            WorkLost, HandedOver: It comes to rest elsewhere.
        """
        state, ending = opened.state, opened.state["ending"]
        status: FinalStatus = "waiting" if ending is None else ending.status
        snapshot = Snapshot(principal=opened.principal, grounding=opened.grounding.dump(), seconds=work.scope.seconds)
        if ending is None:
            snapshot.state = dump_state(state)
        elif status != "succeeded":
            ending = await self._with_effects(work.run_id, state, ending)
            state["messages"] = [*state["messages"], *answer_unanswered(state), _last_words(ending)]
        error = ending.error if ending is not None else None
        while True:
            try:
                await work.log.flushed()
                final = _numbered(RunFinished(status=status, usage=state["usage"], error=error), work.log)
                rest = Rest(work.run_id, work.thread_id, work.attempt, status, state, snapshot, final, error)
                if not await self.rests.rest(rest):
                    await self.heed_cancel(work, await self.runs.find(work.run_id))
                    return False
                break
            except WorkLost:
                raise
            except Exception:
                log.exception("run_not_recorded", extra={"run_id": work.run_id})
                if self.stopping():
                    raise HandedOver from None
                work.log.mend()
                await asyncio.sleep(RETRY_INTERVAL)
        if (tokens := tokens_of(state) - work.charged) > 0:
            await self.services.quota.charge(opened.principal, tokens)
        self.forget(work)
        self.events.close(work.log, final)
        self.services.observer.run_rested(
            RunRested(
                run_id=work.run_id,
                model=self.services.backend.name,
                status=status,
                error=error.code if error is not None else None,
                usage=state["usage"],
                timing=state["timing"],
                seconds=work.scope.seconds,
                answer=state["messages"][-1].content if state["messages"] else "",
            )
        )
        self.told(work.run_id)
        if status == "waiting" and work.scope.ending is CANCELLED:
            await self.cancel_waiting(work.run_id)
        return True

    async def heed_cancel(self, work: Work, row: Run) -> None:
        """A cancellation that came before we worked on the run, or to another process."""
        if row.cancel_requested_at is not None:
            work.scope.stop(CANCELLED)
            await self.runs.cancel_seen([row.id])

    async def cancel_waiting(self, run_id: str) -> bool:
        """End a run that rests on an approval. False when it does not."""
        row = await self.runs.find(run_id)
        messages: list[ChatMessage] = []
        ending = CANCELLED
        if row.state is not None and (dumped := Snapshot.model_validate(row.state).state) is not None:
            state = load_state(dumped)
            ending = state["ending"] = await self._with_effects(run_id, state, CANCELLED)
            messages = [*state["messages"][state["stored"] :], *answer_unanswered(state), _last_words(ending)]
        return await self.end(row, was="waiting", ending=ending, messages=messages)

    async def _with_effects(self, run_id: str, state: RunState, ending: Ending) -> Ending:
        """The ending of a run that did not succeed, saying what it has done all the same."""
        if ending.error is None or not any(message.calls for message in state["messages"]):
            return ending
        rows = await self.services.db.effect.find_many(where={"run_id": run_id}, order={"reserved_at": "asc"})
        tools = self.services.tools
        done = [deed(tools.get(row.tool), row.tool, row.result) for row in rows if row.status == "executed"]
        unknown = [row.tool for row in rows if row.status == "needs_reconcile"]
        said = f" What was done before stands: {', '.join(done)}." if done else ""
        said += f" Nobody knows whether this took effect: {', '.join(unknown)}; a person must look." if unknown else ""
        error = ending.error.model_copy(update={"message": ending.error.message + said})
        return ending.model_copy(update={"error": error})

    async def end(self, row: Run, *, was: str, ending: Ending, messages: Sequence[ChatMessage] = ()) -> bool:
        """End a run that nobody works on. False when that is not so any more."""
        usage = UsageInfo(input_tokens=row.input_tokens, output_tokens=row.output_tokens, steps=row.steps)
        final = encode(RunFinished(status=ending.status, usage=usage, error=ending.error))
        statuses = ["waiting"] if was == "waiting" else ["queued", "running"]
        event = await self.rests.end_resting(
            row.id, was=cast("Any", statuses), ending=ending, messages=messages, final=final
        )
        if event is not None:
            self.told(row.id)
        return event is not None


def _numbered(event: RunFinished, run_log: RunLog) -> StoredEvent:
    return StoredEvent(run_log.last + 1, event.type, encode(event))


def _last_words(ending: Ending) -> ChatMessage:
    """What the thread remembers of a run that did not succeed."""
    message = ending.error.message if ending.error is not None else "The run has ended."
    return ChatMessage(role="assistant", content=message)
