"""Drives runs in this process: one stretch of work from a start or a decision until the run rests.

A stretch is a piece of work of the engine (`agent/durable/`). Its handler is called when it begins, and again, in any
process, when the process that worked on it has died: then it claims the run, which fences off whoever worked on it, and
goes through the graph again, with the recorded results of its steps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from agent.admission import Admission
from agent.deps import Head, Services
from agent.durable.base import WorkLost
from agent.emitter import encode
from agent.ending import INTERRUPTED, Ending, RunStopped
from agent.errors import RunNotFound
from agent.event_log import EventLog
from agent.events import RunResumed
from agent.messages import ChatMessage
from agent.opening import Opening
from agent.principal import Principal
from agent.rest_store import RestStore
from agent.resting import RETRY_INTERVAL, Resting
from agent.run_store import RunStore, StoredRequest
from agent.scope import Scope
from agent.state import Snapshot
from agent.steps import HandedOver, MoreFollows
from agent.stretch import Stretches
from agent.takeover import first_unseen, is_stuck
from agent.turns import Turns
from agent.work import HANDLER, Start, Work, work_id

if TYPE_CHECKING:
    from prisma.client.models import Run

log = logging.getLogger(__name__)


class Runner:
    """Every run that works in this process."""

    def __init__(
        self,
        services: Services,
        *,
        runs: RunStore,
        rests: RestStore,
        events: EventLog,
        admission: Admission,
        replica_id: str,
        after_rest: Callable[[str], None],
    ) -> None:
        """Args:
        after_rest: Called with a run's id once its rest is recorded.
        """
        self.services = services
        self.runs = runs
        self.events = events
        self.replica_id = replica_id
        self._after_rest = after_rest
        self._working: dict[str, Work] = {}
        self._stopping = False
        self._opening = Opening(services, runs)
        self._turns = Turns(admission, runs, self._interrupt_others)
        self._resting = Resting(
            services, runs, rests, events, told=self._told, forget=self._forget, stopping=lambda: self._stopping
        )
        self._stretches = Stretches(services, self._opening, self._resting)

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
            await self._resting.heed_cancel(work, row)
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
        return await self._resting.cancel_waiting(run_id)

    async def interrupt(self, row: Run) -> bool:
        """End a run that was at work and that nobody works on any more. False when that is not so."""
        return await self._resting.end(row, was="working", ending=INTERRUPTED)

    async def prefix(self, principal: Principal) -> list[ChatMessage]:
        """The stable beginning of this principal's conversations; it changes with the date and the role only."""
        return await self._opening.prefix(principal)

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
                await self._abandon(work)  # see `Caretaker`
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
                    raise asyncio.CancelledError from None  # it stays unfinished: see `Caretaker`
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
                if ours is not None:
                    await self._let_go(ours)
                return await self._recovered(row)
            except Exception:
                log.exception("run_not_claimed", extra={"run_id": run_id})
                if self._stopping:
                    raise asyncio.CancelledError from None  # it stays unfinished, and goes on elsewhere
                await asyncio.sleep(RETRY_INTERVAL)

    async def _let_go(self, work: Work) -> None:
        """Stop what works on a run that was taken over."""
        work.close_ticket()
        if work.task is not None:
            work.scope.stop(INTERRUPTED)
            await asyncio.wait([work.task])
        self._turns.give_back(work)

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
        await self._resting.heed_cancel(work, row)
        return work

    async def _abandon(self, work: Work) -> None:
        """Stop to work on a run that goes on elsewhere."""
        with suppress(Exception):  # what is not stored is told again where the run goes on
            await work.log.flushed()
        self._turns.give_back(work)
        self._forget(work)
        self.events.close(work.log, lost=True)
        self.services.observer.run_left(work.run_id)

    def _forget(self, work: Work) -> None:
        work.close_ticket()
        if self._working.get(work.run_id) is work:
            del self._working[work.run_id]
        self._turns.one_rested()

    def _told(self, run_id: str) -> None:
        self._turns.one_rested()
        self._after_rest(run_id)

    # ------------------------------------------------------------ its turn

    async def _take_turn(self, work: Work) -> None:
        try:
            await self._turns.take(work)
        except RunStopped as stop:
            await self._end_unbegun(work, stop.ending)
            return
        try:
            await self._stretches.work_on(work)
        except MoreFollows:
            raise  # it keeps its place
        except BaseException:
            self._turns.give_back(work)
            raise
        self._turns.give_back(work)

    async def _interrupt_others(self, work: Work) -> None:
        """What this run was to interrupt and still waits for a person: whoever took the request may have died."""
        if work.known is not None:
            return
        row = await self.runs.find(work.run_id)
        for other in StoredRequest.model_validate(row.request).interrupts:
            with suppress(RunNotFound):
                await self.cancel_waiting(other)

    async def _end_unbegun(self, work: Work, ending: Ending) -> None:
        if ending is INTERRUPTED and self.services.engine.durable:
            raise HandedOver
        opened = await self._opening.unbegun(work.run_id, work.thread_id)
        await self._stretches.end(work, opened, ending)
