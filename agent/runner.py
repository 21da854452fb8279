"""Drives runs in this process: one stretch of work from a start or a decision until the run rests.

A stretch is a piece of work of the engine (`agent/durable/`). Its handler is called when it begins, and again, in any
process, when the process that worked on it has died: then it claims the run, which fences off whoever worked on it, and
goes through the graph again, with the recorded results of its steps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import structlog

from agent import access
from agent.admission import Admission, Ticket
from agent.call_step import answer_unanswered
from agent.conversation import grounding_after, load_history, newest_that_fit, observe_seed
from agent.deeds import deed
from agent.deps import Deps, Head, Services
from agent.durable.base import DurableError, WorkDiverged, WorkLost
from agent.emitter import Barrier, Emitted, encode
from agent.ending import CANCELLED, INTERNAL, INTERRUPTED, NOT_ALLOWED, Ending, RunStopped
from agent.errors import RunNotFound
from agent.event_log import MAX_BEHIND, EventLog, RunLog
from agent.events import FinalStatus, RunFinished, RunResumed, RunStarted, UsageInfo
from agent.fair import User
from agent.grounding import Grounding, prompt, with_documents
from agent.guarding import GuardContext
from agent.messages import ChatMessage
from agent.observer import RunBegan, RunRested
from agent.options import NO_OPTIONS, RunOptions
from agent.principal import NOBODY, Principal
from agent.records import StoredEvent
from agent.rest_store import Rest, RestStore
from agent.run_store import RunStore, StoredRequest
from agent.scope import Scope
from agent.state import RunState, Snapshot, Timing, dump_state, load_state, new_state
from agent.steps import HandedOver, MoreFollows
from agent.tokens import estimate

if TYPE_CHECKING:
    from prisma.client.models import Run

log = logging.getLogger(__name__)

HANDLER = "run"
MAX_RECOVERIES = 10  # without anything new: a run that kills its process must not kill them all
SKIPPED = 2 * MAX_BEHIND  # sequence numbers left out after a crash: readers may have seen some that were never stored
TURN_INTERVAL = 0.5  # seconds between two looks whether a queued run's turn has come
RETRY_INTERVAL = 1.0  # seconds between two attempts to record a run's rest while the database is away


@dataclass(slots=True)
class Work:
    """A run that works in this process.

    Attributes:
        user: Who asked: places are shared between users.
        known: What the process that took the request knows already; another one reads it from the run's row.
        urgent: A person has decided: it goes before what waits for a place.
        stuck: It was taken over too often.
        charged: Tokens of earlier stretches.
        head: Whether the engine knows of it, and what its first step gave.
        after_head: Where it goes on once the engine knows of it.
        placed: It has a place.
    """

    run_id: str
    thread_id: str
    stretch: int
    attempt: int
    log: RunLog
    scope: Scope
    user: User = None
    known: Start | None = None
    urgent: bool = False
    stuck: bool = False
    charged: int = 0
    head: Head = field(default_factory=Head)
    after_head: tuple[Deps, RunState] | None = None
    placed: bool = False
    task: asyncio.Task[Any] | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A run that was just recorded. `documents` are (id, name); `last_state` is what the thread's last run left.
    `first`: there is no history to load."""

    run_id: str
    thread_id: str
    input: str
    principal: Principal
    documents: Sequence[tuple[str, str]] = ()
    queued: bool = False
    first: bool = True
    last_state: Any = None
    ticket: Ticket | None = None
    options: RunOptions = NO_OPTIONS
    queue_ms: int = 0


def work_id(run_id: str, stretch: int) -> str:
    """The engine's name for a stretch of work."""
    return f"{run_id}:{stretch}"


@dataclass(slots=True)
class Runner:
    """Every run that works in this process."""

    services: Services
    runs: RunStore
    rests: RestStore
    events: EventLog
    admission: Admission
    replica_id: str
    after_rest: Callable[[str], None] = lambda _: None  # called with a run's id once its rest is recorded
    _working: dict[str, Work] = field(default_factory=dict[str, Work])
    _companies: dict[str, str] = field(default_factory=dict[str, str])
    _rested: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    # ------------------------------------------------------------ control

    async def start(self, start: Start) -> None:
        """Begin a recorded run."""
        user = start.principal.user_id
        work = self._work(start.run_id, start.thread_id, stretch=0, attempt=1, user=user, known=start)
        if self.services.engine.durable:
            work.head.begun = False
            work.task = asyncio.create_task(self._first_step(work), name=work_id(work.run_id, 0))
        else:
            await self._begin(work)

    async def go_on(self, run_id: str) -> None:
        """Go on with a run that was decided about and whose status is `running` already."""
        row = await self.runs.find(run_id)
        work = self._working.get(run_id)
        if work is None or work.stretch != row.stretch:
            work = self._resumed(row, urgent=True)
            await self._heed_cancel(work, row)
            await self._begin(work)

    async def take_over(self, row: Run) -> bool:
        """Begin a stretch of a dead process that its engine never heard of. False when the engine sees to it itself."""
        engine = self.services.engine
        if await engine.status(work_id(row.id, row.stretch)) != "unknown":
            return False
        await engine.begin(HANDLER, work_id(row.id, row.stretch), work_id(row.id, row.stretch))
        return True

    async def revive(self, row: Run) -> bool:
        """Let a stretch that is ours and that nobody works on go on. False when the engine thinks that it is over."""
        engine, name = self.services.engine, work_id(row.id, row.stretch)
        match await engine.status(name):
            case "unknown":
                await engine.begin(HANDLER, name, name)
            case "unfinished":
                await engine.resume(name)
            case "finished":
                return False
        return True

    async def drop_lost(self) -> None:
        """Let go of what another process took over before the engine called us: nobody else would tell its readers."""
        for work in [work for work in self._working.values() if work.task is None]:
            with suppress(RunNotFound):
                if (await self.runs.find(work.run_id)).attempt == work.attempt:
                    continue
            if work.task is None:
                log.warning("run_lost", extra={"run_id": work.run_id})
                if work.known is not None and work.known.ticket is not None:
                    work.known.ticket.give_back()
                await self._abandon(work)

    def stop(self, run_id: str, ending: Ending) -> bool:
        """Stop a run between effects. False when it does not work here."""
        work = self._working.get(run_id)
        if work is None:
            return False
        work.scope.stop(ending)
        return True

    @property
    def busy(self) -> bool:
        """Runs work here."""
        return bool(self._working)

    def works_on(self, run_id: str) -> bool:
        """The run works here."""
        return run_id in self._working

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
        self._rested.set()
        if event is not None:
            self.after_rest(row.id)
        return event is not None

    async def drain(self, *, grace: float) -> None:
        """Let runs end for `grace` seconds, then break them off between effects; returns when none works here."""
        tasks = [work.task for work in self._working.values() if work.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        self._stopping = True
        for work in list(self._working.values()):
            work.scope.stop(INTERRUPTED)
        while self._working:
            tasks = [work.task for work in self._working.values() if work.task is not None]
            await (asyncio.wait(tasks) if tasks else asyncio.sleep(0.01))  # one that is about to be called, to give up

    async def _first_step(self, work: Work) -> None:
        """Work on a new run until it rests, or until there is something for the engine to record.

        If this process dies meanwhile, the engine never heard of the run, and `take_over` begins it from its row.
        """
        try:
            await self._take_turn(work)
        except MoreFollows as answered:
            work.head, work.task = Head(record=answered.record), None
            try:
                await self._begin(work)
            except Exception:
                log.exception("run_broken_off", extra={"run_id": work.run_id})
                await self._abandon(work)  # see `Agent._watch_strays`
        except (HandedOver, asyncio.CancelledError):
            await self._abandon(work)
        except WorkLost:
            log.warning("run_lost", extra={"run_id": work.run_id})
            await self._abandon(work)
        except Exception:
            log.exception("run_broken_off", extra={"run_id": work.run_id})
            await self._abandon(work)

    # ------------------------------------------------------------ a piece of the engine's work

    async def handle(self, argument: str) -> None:
        """The engine's handler: work on a stretch of a run until it rests."""
        run_id, _, number = argument.rpartition(":")
        structlog.contextvars.bind_contextvars(run_id=run_id)  # the task is this run's own
        work = self._working.get(run_id)
        if work is None or work.stretch != int(number) or work.task is not None:
            work = await self._claim(run_id, int(number), work)
        while work is not None:
            work.task = asyncio.current_task()
            try:
                await self._take_turn(work)
                return
            except WorkLost:
                log.warning("run_lost", extra={"run_id": run_id})
                await self._abandon(work)
                return
            except (HandedOver, asyncio.CancelledError):
                await self._abandon(work)
                raise asyncio.CancelledError from None  # it stays unfinished, and goes on elsewhere
            except Exception:
                log.exception("run_broken_off", extra={"run_id": run_id})
                await self._abandon(work)
                if self.services.engine.durable:  # its recorded steps are only found again from the start
                    raise asyncio.CancelledError from None  # it stays unfinished: see `Agent._watch_strays`
                await asyncio.sleep(RETRY_INTERVAL)
                work = await self._claim(run_id, int(number), None)

    async def _claim(self, run_id: str, stretch: int, ours: Work | None) -> Work | None:
        """Take a stretch over; None when it is over. `ours` was thought to be dead, and has lost the run hereby.

        While the database is away this waits: a handler that raises would end its work, and the run with it.
        """
        while True:
            try:
                row = await self.runs.claim(run_id, stretch=stretch, owner_id=self.replica_id)
                if row is None:
                    return None
                log.warning("run_taken_over", extra={"run_id": run_id, "recoveries": row.recoveries})
                if ours is not None and ours.known is not None and ours.known.ticket is not None:
                    ours.known.ticket.give_back()
                if ours is not None and ours.task is not None:
                    ours.scope.stop(INTERRUPTED)
                    await asyncio.wait([ours.task])
                if ours is not None:
                    self._give_place_back(ours)
                return await self._recovered(row)
            except Exception:
                log.exception("run_not_claimed", extra={"run_id": run_id})
                if self._stopping:
                    raise asyncio.CancelledError from None  # it stays unfinished, and goes on elsewhere
                await asyncio.sleep(RETRY_INTERVAL)

    async def _begin(self, work: Work) -> None:
        name = work_id(work.run_id, work.stretch)
        await self.services.engine.begin(HANDLER, name, name)

    def _work(self, run_id: str, thread_id: str, *, stretch: int, attempt: int, last: int = 0, **more: Any) -> Work:
        scope = Scope(max_seconds=self.services.settings.max_seconds, spent_seconds=more.pop("spent_seconds", 0.0))
        run_log = self.events.open(run_id, last=last, attempt=attempt)
        work = Work(run_id, thread_id, stretch, attempt, run_log, scope, **more)
        self._working[run_id] = work
        if self._stopping:
            scope.stop(INTERRUPTED)
        return work

    def _resumed(self, row: Run, *, last: int | None = None, urgent: bool = False) -> Work:
        seconds = Snapshot.model_validate(row.state).seconds if row.state is not None else 0.0
        return self._work(
            row.id,
            row.thread_id,
            stretch=row.stretch,
            attempt=row.attempt,
            last=row.last_sequence if last is None else last,
            spent_seconds=seconds,
            user=row.user_id,
            urgent=urgent,
        )

    async def _recovered(self, row: Run) -> Work:
        """A run whose process died: its log goes on where nobody has read yet, and tells nothing twice."""
        told = await self.events.stored(row.id, after=row.last_sequence)
        last = first_unseen(told[-1].sequence if told else row.last_sequence, attempt=row.attempt)
        work = self._resumed(row, last=last, urgent=row.status == "running")
        work.stuck = is_stuck(told, recoveries=row.recoveries)
        work.log.tell_no_more(told)
        if told:
            resumed = RunResumed(attempt=row.attempt)
            work.log.append(resumed.type, encode(resumed))
        await self._heed_cancel(work, row)
        return work

    async def _abandon(self, work: Work) -> None:
        """Stop to work on a run that goes on elsewhere."""
        with suppress(Exception):  # what is not stored is told again where the run goes on
            await work.log.flushed()
        self._give_place_back(work)
        self._forget(work)
        self.events.close(work.log, lost=True)
        self.services.observer.run_left(work.run_id)

    def _forget(self, work: Work) -> None:
        if self._working.get(work.run_id) is work:
            del self._working[work.run_id]
        self._rested.set()

    # ------------------------------------------------------------ its turn

    async def _take_turn(self, work: Work) -> None:
        if not work.placed:
            if work.urgent:
                self.admission.take(work.user)
            else:
                try:
                    await self._wait_for_place(work)
                except RunStopped as stop:
                    await self._end_unbegun(work, stop.ending)
                    return
            work.placed = True
            work.scope.begin()
        try:
            await self._stretch(work)
        except MoreFollows:
            raise  # it keeps its place
        except BaseException:
            self._give_place_back(work)
            raise
        self._give_place_back(work)

    def _give_place_back(self, work: Work) -> None:
        if work.placed:
            work.placed = False
            self.admission.leave(work.user, work.scope.seconds)

    async def _wait_for_place(self, work: Work) -> None:
        """Take a place, when it is this run's turn in its thread.

        Raises:
            RunStopped: It was stopped meanwhile.
        """
        queued = work.known.queued if work.known is not None else True
        ticket = work.known.ticket if work.known is not None else None
        if not queued:
            if ticket is None or not ticket.take_place():
                self.admission.take(work.user)
            return
        if ticket is not None:
            ticket.give_back()
        await self._interrupt_others(work)
        async with work.scope.interruptible(timed=False):
            with self.admission.waits(work.user):
                while True:
                    await self._wait_for_turn(work)
                    await self.admission.enter(work.user)
                    try:
                        begun = await self.runs.begin(work.run_id, attempt=work.attempt)
                    except BaseException:
                        self.admission.leave(work.user, None)
                        raise
                    if begun:
                        return
                    self.admission.leave(work.user, None)

    async def _interrupt_others(self, work: Work) -> None:
        """What this run was to interrupt and still waits for a person: whoever took the request may have died."""
        if work.known is not None:
            return
        row = await self.runs.find(work.run_id)
        for other in StoredRequest.model_validate(row.request).interrupts:
            with suppress(RunNotFound):
                await self.cancel_waiting(other)

    async def _wait_for_turn(self, work: Work) -> None:
        while not await self.runs.is_turn(work.run_id):
            self._rested.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_INTERVAL):
                    await self._rested.wait()

    async def _end_unbegun(self, work: Work, ending: Ending) -> None:
        if ending is INTERRUPTED and self.services.engine.durable:
            raise HandedOver
        row = await self.runs.find(work.run_id)
        state = new_state([ChatMessage(role="user", content=row.input)])
        state["ending"] = ending
        principal = StoredRequest.model_validate(row.request).principal
        _, left = await self.runs.last_state(work.thread_id, but=work.run_id)
        await self._end(work, grounding_after(left, currencies=self.services.settings.currencies), state, principal)

    # ------------------------------------------------------------ a stretch of work

    async def _stretch(self, work: Work) -> None:
        if work.after_head is not None:
            deps, state = work.after_head
            await self._drive(work, replace(deps, head=work.head), state)
            return
        state, grounding = new_state([]), Grounding(currencies=self.services.settings.currencies)
        principal = Principal("", None, frozenset())
        try:
            row = None if work.known is not None else await self.runs.find(work.run_id)
            if row is not None and work.stuck:
                raise WorkDiverged(f"taken over {row.recoveries} times")
            options = NO_OPTIONS
            if row is not None and row.stretch > 0:
                options = StoredRequest.model_validate(row.request).options
                snapshot = Snapshot.model_validate(row.state)
                principal, grounding = snapshot.principal, Grounding.load(snapshot.grounding)
                state, turns = await self._saved(work, snapshot)
                work.charged = tokens_of(state)
            else:
                start = work.known or await self._stored_start(cast("Run", row))
                principal, options = start.principal, start.options
                state, grounding, turns = await self._fresh(work, start)
            if work.known is None or work.known.queued:
                principal = await self._as_of_now(principal)
            if not principal.roles:
                state["ending"] = NOT_ALLOWED
                await self._end(work, grounding, state, principal)
                return
            deps = await self._deps(work, principal, grounding, state, turns, options=options)
        except WorkDiverged:
            log.exception("run_given_up", extra={"run_id": work.run_id})
            state["ending"] = INTERRUPTED
            await self._end(work, grounding, state, principal)
        except (DurableError, HandedOver, MoreFollows):
            raise
        except Exception:
            log.exception("run_not_begun", extra={"run_id": work.run_id})
            state["ending"] = INTERNAL
            await self._end(work, grounding, state, principal)
        else:
            self._tell_began(work, state, principal)
            await self._drive(work, deps, state)

    def _tell_began(self, work: Work, state: RunState, principal: Principal) -> None:
        resumed = work.stretch > 0 or work.attempt > 1
        asked = next((message.content for message in state["messages"] if message.role == "user"), "")
        self.services.observer.run_began(
            RunBegan(work.run_id, work.thread_id, principal, self.services.backend.name, asked, resumed)
        )

    async def _as_of_now(self, principal: Principal) -> Principal:
        """Whoever asked, with the roles that were not taken away since. New ones do not count: the run was begun
        without them. After a crash this may be less than before it; then the recorded steps no longer fit, and the run
        ends."""
        return replace(principal, roles=principal.roles & await access.roles_now(self.services.db, principal))

    async def _stored_start(self, row: Run) -> Start:
        request = StoredRequest.model_validate(row.request)
        before, left = await self.runs.last_state(row.thread_id, but=row.id)
        return Start(
            row.id,
            row.thread_id,
            row.input,
            request.principal,
            request.documents,
            first=not before,
            last_state=left,
            options=request.options,
            queue_ms=milliseconds((row.started_at or row.created_at) - row.created_at),
        )

    async def _fresh(self, work: Work, start: Start) -> tuple[RunState, Grounding, Sequence[Sequence[ChatMessage]]]:
        if start.queued:
            start = await self._stored_start(await self.runs.find(work.run_id))
        started = RunStarted(run_id=start.run_id, thread_id=start.thread_id, model=self.services.backend.name)
        work.log.append(started.type, encode(started))
        state = new_state([ChatMessage(role="user", content=with_documents(start.input, start.documents))])
        state["timing"] = Timing(queue_ms=start.queue_ms)
        grounding = grounding_after(start.last_state, currencies=self.services.settings.currencies)
        unknown = start.first and not start.options.seeded
        turns = [] if unknown else await load_history(self.services.db, start.thread_id)
        if start.first:
            observe_seed(grounding, turns)
        grounding.observe_user(start.input)
        for document_id, name in start.documents:
            grounding.observe_document(document_id, name=name)
        return state, grounding, turns

    async def _saved(self, work: Work, snapshot: Snapshot) -> tuple[RunState, Sequence[Sequence[ChatMessage]]]:
        state = load_state(cast("dict[str, Any]", snapshot.state))
        turns = await load_history(self.services.db, work.thread_id)
        if state["stored"]:
            del turns[-1]  # this run's own messages are in its state
        return state, turns

    async def _drive(self, work: Work, deps: Deps, state: RunState) -> None:
        structlog.contextvars.bind_contextvars(
            run_id=work.run_id, tenant_id=deps.principal.tenant_id, user_id=deps.principal.user_id or NOBODY
        )
        from agent.graph import run_turn  # LangGraph loads for most of a second: `start` does that beside the model

        while True:
            try:
                async for item in run_turn(state, deps):
                    if isinstance(item, Emitted):
                        work.log.append(item.type, item.data)
                        await work.log.keep_up()
                    elif isinstance(item, Barrier):
                        await _pass(item, work.log)
                    else:
                        state = item
            except WorkDiverged:
                log.exception("run_given_up", extra={"run_id": work.run_id})
                state["ending"] = INTERRUPTED
            except MoreFollows:
                work.after_head = deps, state
                raise
            except (DurableError, HandedOver):
                raise
            except Exception:
                log.exception("graph_bug", extra={"run_id": work.run_id})
                state["ending"] = INTERNAL
            if work.scope.ending is CANCELLED:  # it came when the run was about to wait; an interruption lets it wait
                state["ending"] = state["ending"] or CANCELLED
            if await self._end(work, deps.grounding, state, deps.principal):
                return

    async def _end(self, work: Work, grounding: Grounding, state: RunState, principal: Principal) -> bool:
        """Bring the run to rest. False when it must go on at once, because everything is decided already.

        Raises:
            WorkLost, HandedOver: It comes to rest elsewhere.
        """
        ending = state["ending"]
        status: FinalStatus = "waiting" if ending is None else ending.status
        snapshot = Snapshot(principal=principal, grounding=grounding.dump(), seconds=work.scope.seconds)
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
                    await self._heed_cancel(work, await self.runs.find(work.run_id))
                    return False
                break
            except WorkLost:
                raise
            except Exception:
                log.exception("run_not_recorded", extra={"run_id": work.run_id})
                if self._stopping:
                    raise HandedOver from None
                work.log.mend()
                await asyncio.sleep(RETRY_INTERVAL)
        if (tokens := tokens_of(state) - work.charged) > 0:
            await self.services.quota.charge(principal, tokens)
        self._forget(work)
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
        self.after_rest(work.run_id)
        if status == "waiting" and work.scope.ending is CANCELLED:
            await self.cancel_waiting(work.run_id)
        return True

    async def _heed_cancel(self, work: Work, row: Run) -> None:
        """A cancellation that came before we worked on the run, or to another process."""
        if row.cancel_requested_at is not None:
            work.scope.stop(CANCELLED)
            await self.runs.cancel_seen([row.id])

    # ------------------------------------------------------------ surroundings

    async def _deps(
        self,
        work: Work,
        principal: Principal,
        grounding: Grounding,
        state: RunState,
        turns: Sequence[Sequence[ChatMessage]],
        *,
        options: RunOptions,
    ) -> Deps:
        services = self.services
        prefix = await self.prefix(principal)
        room = services.backend.context_tokens - estimate(prefix) - estimate(state["messages"])
        room -= services.settings.max_answer_tokens
        history = newest_that_fit(turns, tokens=min(services.settings.history_tokens, max(room, 0)))
        guard_context = GuardContext(
            max_input_chars=services.settings.max_input_chars,
            system_prompt=prefix[0].content if prefix else "",
            look_ahead=services.settings.look_ahead,
            secrets=tuple(services.secrets),
            roles=principal.roles,
            topics=services.settings.topics,
            off_topic=services.settings.off_topic,
            follows=bool(history),
            names=(await self._company(principal.tenant_id),),
            classify=services.classify,
        )
        return Deps(
            services=services,
            run_id=work.run_id,
            attempt=work.attempt,
            principal=principal,
            grounding=grounding,
            scope=work.scope,
            tools=[tool for tool in services.tools_for(principal) if options.allows(tool)],
            prefix=prefix,
            history=history,
            guard_context=guard_context,
            log=work.log,
            options=options,
            head=work.head,
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


def milliseconds(span: timedelta) -> int:
    """Two clocks may have told its ends: never less than none."""
    return max(0, round(span.total_seconds() * 1000))


def first_unseen(stored: int, *, attempt: int) -> int:
    """Above this number nobody has told anything yet, in any earlier attempt.

    Each takeover goes further than the one before, for what that one told may never have been stored either.
    """
    return stored + SKIPPED * attempt


def is_stuck(told: Sequence[StoredEvent], *, recoveries: int) -> bool:
    """Whether a stretch was taken over again and again and told nothing new: it may be what kills the processes."""
    in_vain = 0
    for event in told:
        if event.type == "run.resumed":
            in_vain += 1
        elif event.type != "token":
            in_vain = 0
    return in_vain > MAX_RECOVERIES or recoveries > MAX_RECOVERIES**2


def tokens_of(state: RunState) -> int:
    """Input and output tokens of a run so far."""
    return state["usage"].input_tokens + state["usage"].output_tokens


def _numbered(event: RunFinished, run_log: RunLog) -> StoredEvent:
    return StoredEvent(run_log.last + 1, event.type, encode(event))


async def _pass(barrier: Barrier, run_log: RunLog) -> None:
    try:
        await run_log.stored_by_now()
    except Exception as error:  # noqa: BLE001  told to whoever waits at the barrier
        if not barrier.stored.done():
            barrier.stored.set_exception(error)
    else:
        if not barrier.stored.done():
            barrier.stored.set_result(None)


def _last_words(ending: Ending) -> ChatMessage:
    """What the thread remembers of a run that did not succeed."""
    message = ending.error.message if ending.error is not None else "The run has ended."
    return ChatMessage(role="assistant", content=message)
