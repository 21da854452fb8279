"""Drives runs in this process: one stretch of work from a start or a decision until the run rests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from agent.call_step import answer_unanswered
from agent.conversation import grounding_after, load_history, newest_that_fit
from agent.deps import Deps, Services
from agent.emitter import Emitted, encode
from agent.ending import CANCELLED, INTERNAL, INTERRUPTED, Ending
from agent.event_log import EventLog, RunLog
from agent.events import FinalStatus, RunFinished, RunStarted, UsageInfo
from agent.grounding import Grounding, prompt, with_documents
from agent.guarding import GuardContext
from agent.messages import ChatMessage
from agent.principal import Principal
from agent.records import StoredEvent
from agent.run_store import Rest, RunStore
from agent.scope import Scope
from agent.state import RunState, Snapshot, dump_state, load_state, new_state
from agent.tokens import estimate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """A run that has not begun. `documents` are (id, name); `last_state` is what the thread's last run left.
    `first`: there is no history to load."""

    run_id: str
    thread_id: str
    input: str
    principal: Principal
    documents: Sequence[tuple[str, str]] = ()
    first: bool = True
    last_state: Any = None


@dataclass(slots=True)
class Work:
    """A run that works in this process."""

    run_id: str
    thread_id: str
    principal: Principal
    log: RunLog
    scope: Scope
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Runner:
    """Every run that works in this process."""

    services: Services
    runs: RunStore
    events: EventLog
    _working: dict[str, Work] = field(default_factory=dict[str, Work])
    _companies: dict[str, str] = field(default_factory=dict[str, str])

    # ------------------------------------------------------------ control

    def start(self, start: Start) -> None:
        """Begin a recorded run."""
        work = self._work(start.run_id, start.thread_id, start.principal)
        work.task = asyncio.create_task(self._start(start, work), name=f"run-{start.run_id}")

    async def go_on(self, run_id: str) -> None:
        """Go on with a run that was decided about and whose status is `running` already."""
        row = await self.runs.find(run_id)
        snapshot = Snapshot.model_validate(row.state)
        work = self._work(
            run_id, row.thread_id, snapshot.principal, last=row.last_sequence, spent_seconds=snapshot.seconds
        )
        work.task = asyncio.create_task(self._go_on(snapshot, work), name=f"run-{run_id}")

    def stop(self, run_id: str, ending: Ending) -> bool:
        """Stop a run between effects. False when it does not work here."""
        work = self._working.get(run_id)
        if work is None:
            return False
        work.scope.stop(ending)
        return True

    async def cancel_waiting(self, run_id: str) -> bool:
        """End a run that rests on an approval. False when it does not."""
        row = await self.runs.find(run_id)
        messages: list[ChatMessage] = []
        if row.state is not None and (dumped := Snapshot.model_validate(row.state).state) is not None:
            state = load_state(dumped)
            state["ending"] = CANCELLED
            messages = [*state["messages"][state["stored"] :], *answer_unanswered(state), _last_words(CANCELLED)]
        usage = UsageInfo(input_tokens=row.input_tokens, output_tokens=row.output_tokens, steps=row.steps)
        final = encode(RunFinished(status="cancelled", usage=usage, error=CANCELLED.error))
        event = await self.runs.end_resting(run_id, was=["waiting"], ending=CANCELLED, messages=messages, final=final)
        return event is not None

    async def drain(self, *, grace: float) -> None:
        """Let runs end for `grace` seconds, then stop them; returns when every one is at rest."""
        tasks = [work.task for work in self._working.values() if work.task is not None]
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=grace)
        for work in list(self._working.values()):
            work.scope.stop(INTERRUPTED)
        await asyncio.wait(tasks)

    def _work(
        self, run_id: str, thread_id: str, principal: Principal, *, last: int = 0, spent_seconds: float = 0.0
    ) -> Work:
        scope = Scope(max_seconds=self.services.settings.max_seconds, spent_seconds=spent_seconds)
        work = Work(run_id, thread_id, principal, self.events.open(run_id, last=last), scope)
        self._working[run_id] = work
        return work

    # ------------------------------------------------------------ a stretch of work

    async def _start(self, start: Start, work: Work) -> None:
        started = RunStarted(run_id=start.run_id, thread_id=start.thread_id, model=self.services.backend.name)
        work.log.append(started.type, encode(started))
        state = new_state([ChatMessage(role="user", content=with_documents(start.input, start.documents))])
        currencies = self.services.settings.currencies
        grounding = Grounding(currencies=currencies)
        try:
            grounding = grounding_after(start.last_state, currencies=currencies)
            grounding.observe_user(start.input)
            for document_id, name in start.documents:
                grounding.observe_document(document_id, name=name)
            turns = [] if start.first else await load_history(self.services.db, start.thread_id)
            deps = await self._deps(work, grounding, state, turns)
        except Exception:  # noqa: BLE001  whatever stops a run from beginning ends it, and is logged
            await self._end_broken(work, grounding, state)
        else:
            await self._drive(work, deps, state)

    async def _go_on(self, snapshot: Snapshot, work: Work) -> None:
        state = load_state(cast("dict[str, Any]", snapshot.state))
        grounding = Grounding.load(snapshot.grounding)
        try:
            turns = await load_history(self.services.db, work.thread_id)
            if state["stored"]:
                del turns[-1]  # this run's own messages are in its state
            deps = await self._deps(work, grounding, state, turns)
        except Exception:  # noqa: BLE001  whatever stops a run from going on ends it, and is logged
            await self._end_broken(work, grounding, state)
        else:
            await self._drive(work, deps, state)

    async def _end_broken(self, work: Work, grounding: Grounding, state: RunState) -> None:
        log.exception("run_not_begun", extra={"run_id": work.run_id})
        state["ending"] = INTERNAL
        await self._end(work, grounding, state)

    async def _drive(self, work: Work, deps: Deps, state: RunState) -> None:
        from agent.graph import run_turn  # LangGraph loads for most of a second: `start` does that beside the model

        while True:
            try:
                async for item in run_turn(state, deps):
                    if isinstance(item, Emitted):
                        work.log.append(item.type, item.data)
                    else:
                        state = item
            except Exception:
                log.exception("graph_bug", extra={"run_id": work.run_id})
                state["ending"] = INTERNAL
            if work.scope.ending is CANCELLED:  # it came when the run was about to wait; an interruption lets it wait
                state["ending"] = state["ending"] or CANCELLED
            if await self._end(work, deps.grounding, state):
                return

    async def _end(self, work: Work, grounding: Grounding, state: RunState) -> bool:
        """Bring the run to rest. False when it must go on at once, because everything is decided already."""
        ending = state["ending"]
        status: FinalStatus = "waiting" if ending is None else ending.status
        snapshot = Snapshot(principal=work.principal, grounding=grounding.dump(), seconds=work.scope.seconds)
        if ending is None:
            snapshot.state = dump_state(state)
        elif status != "succeeded":
            state["messages"] = [*state["messages"], *answer_unanswered(state), _last_words(ending)]
        error = ending.error if ending is not None else None
        final = _numbered(RunFinished(status=status, usage=state["usage"], error=error), work.log)
        try:
            await work.log.flushed()
            if not await self.runs.rest(Rest(work.run_id, work.thread_id, status, state, snapshot, final, error)):
                return False
        except Exception:
            log.exception("run_not_recorded", extra={"run_id": work.run_id})
            final = _numbered(RunFinished(status="failed", usage=state["usage"], error=INTERNAL.error), work.log)
        del self._working[work.run_id]
        self.events.close(work.log, final)
        if status == "waiting" and work.scope.ending is CANCELLED:
            await self.cancel_waiting(work.run_id)
        return True

    # ------------------------------------------------------------ surroundings

    async def _deps(
        self, work: Work, grounding: Grounding, state: RunState, turns: Sequence[Sequence[ChatMessage]]
    ) -> Deps:
        services = self.services
        prefix = await self.prefix(work.principal)
        room = services.backend.context_tokens - estimate(prefix) - estimate(state["messages"])
        room -= services.settings.max_answer_tokens
        history = newest_that_fit(turns, tokens=min(services.settings.history_tokens, max(room, 0)))
        guard_context = GuardContext(
            max_input_chars=services.settings.max_input_chars, system_prompt=prefix[0].content if prefix else ""
        )
        return Deps(
            services=services,
            run_id=work.run_id,
            principal=work.principal,
            grounding=grounding,
            scope=work.scope,
            tools=services.tools_for(work.principal),
            prefix=prefix,
            history=history,
            guard_context=guard_context,
        )

    async def prefix(self, principal: Principal) -> list[ChatMessage]:
        """The stable beginning of this principal's conversations; it changes with the date and the role only."""
        services = self.services
        return prompt(
            services.tools_for(principal),
            company=await self._company(principal.tenant_id),
            today=services.clock().date(),
            native=services.backend.native_tools,
        )

    async def _company(self, tenant_id: str) -> str:
        if tenant_id not in self._companies:
            row = await self.services.db.tenant.find_unique(where={"id": tenant_id})
            self._companies[tenant_id] = row.name if row is not None else "our company"
        return self._companies[tenant_id]


def _numbered(event: RunFinished, run_log: RunLog) -> StoredEvent:
    return StoredEvent(run_log.last + 1, event.type, encode(event))


def _last_words(ending: Ending) -> ChatMessage:
    """What the thread remembers of a run that did not succeed."""
    message = ending.error.message if ending.error is not None else "The run has ended."
    return ChatMessage(role="assistant", content=message)
