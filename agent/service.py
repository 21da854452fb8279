"""The agent's public entry: the API, the command line and the evals use this and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from agent import access, schedules
from agent.admission import Admission, Ticket
from agent.approvals import Approvals
from agent.audit import Audit
from agent.caretaker import CANCEL_INTERVAL, Caretaker
from agent.deps import Services
from agent.digest import digest as digest_of
from agent.durable.base import Engine
from agent.durable.plain import PlainEngine
from agent.durable.replicas import Replicas
from agent.effects import Effects
from agent.ending import CANCELLED
from agent.errors import (
    AgentError,
    ApprovalExpired,
    DocumentNotFound,
    Forbidden,
    InputTooLong,
    NotReady,
    RunEnded,
    TooManyRuns,
)
from agent.event_log import EventLog
from agent.event_store import EventStore
from agent.fair import FairPlaces
from agent.firings import Firings
from agent.guarding import Classifier, input_guards, output_guards
from agent.llm.base import Backend, Checkable, OnProgress
from agent.observer import Observer
from agent.options import NO_OPTIONS, RunOptions
from agent.policy import DECIDES, Policy, default_policy
from agent.policy.limits import Limits
from agent.principal import LOCAL, Principal
from agent.quota import NoQuota, Quota
from agent.reading import Reading
from agent.records import ENDED, RunRecord, StoredEvent
from agent.rest_store import RestStore
from agent.run_store import NewRun, RunStore, WhenBusy
from agent.runner import Runner
from agent.schedules import Schedules
from agent.settings import AgentSettings
from agent.threads import Threads
from agent.webhooks import deliveries as webhooks
from agent.webhooks.create import create_deliveries
from agent.work import HANDLER, Start, work_id
from tools.context import utc_now
from tools.registry import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prisma import Prisma
    from tools.invoicing import Invoices
    from tools.registry import AnyTool
    from tools.search import Search
    from tools.system import System
    from tools.web import WebClient

log = logging.getLogger(__name__)

Decision = Literal["approve", "reject"]
CANCEL_PATIENCE = 15.0  # seconds for the process that works on a run to see its cancellation, or to be found dead
FULL = 5.0  # seconds until it may be tried again where a user has too many runs


@dataclass(frozen=True, slots=True)
class Load:
    """What this process has to do now.

    Attributes:
        running: Runs at work.
        queued: Runs that wait for a place or for their turn.
        full: The next request would be refused.
        unstored_events: Events that are not in the database yet.
        writer_lag_seconds: Since the writer began to store what it is still storing.
        writes: The writer is there.
    """

    running: int
    queued: int
    full: bool
    unstored_events: int
    writer_lag_seconds: float
    writes: bool


class Agent:
    """Takes requests, runs them in the background of this process, tells what happens."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self.replica_id = uuid4().hex
        self._services = services
        self._deliveries = create_deliveries(services, replica_id=self.replica_id)
        self._runs = RunStore(services.db, services.clock)
        self._approvals = Approvals(services.db, services.clock)
        self._threads = Threads(services.db, services.clock)
        self.effects = Effects(services.db, services.clock)
        self.schedules = Schedules(services.db, lambda: services.engine.timetables, services.clock)
        self._firings = Firings(services.db, services.engine, services.clock, self.submit)
        self._events = EventLog(EventStore(services.db))
        self._admission = Admission(
            running=settings.max_running,
            queued=settings.max_queued,
            running_each=settings.max_running_each,
            queued_each=settings.max_queued_each,
            of_source={"key": settings.max_runs_key, "address": settings.max_runs_address},
        )
        self._runner = Runner(
            services,
            runs=self._runs,
            rests=RestStore(services.db, services.clock, self._deliveries.record),
            events=self._events,
            admission=self._admission,
            replica_id=self.replica_id,
            after_rest=self._deliveries.begin_recorded,
        )
        self._caretaker = Caretaker(
            services, self._runs, self._runner, self._deliveries, self.replica_id, sweep=self._sweep
        )
        self._replicas = Replicas(services.db, self.replica_id, services.clock, self._caretaker.take_over)
        self._ready = False

    @classmethod
    def create(
        cls,
        settings: AgentSettings,
        *,
        db: Prisma,
        backend: Backend,
        invoices: Invoices,
        engine: Engine | None = None,
        search: Search | None = None,
        web: WebClient | None = None,
        secrets: Sequence[str] = (),
        classify: Classifier | None = None,
        clock: Callable[[], datetime] = utc_now,
        policy: Policy | None = None,
        tools: Mapping[str, AnyTool] | None = None,
        model_slots: int | None = None,
        quota: Quota | None = None,
        observer: Observer | None = None,
        outside: Mapping[str, System] | None = None,
    ) -> Agent:
        """An agent over a connected database and a model; `start` it before use.

        Args:
            engine: What carries runs through crashes; else nothing does.
            web: Reads pages by their addresses; else nothing does.
            secrets: Values that no answer may hold.
            classify: Looks at each sentence of an answer; what it objects to is told, and stops nothing.
            tools: By name; else the whole catalogue.
            model_slots: Calls of the model at once, shared fairly between users; None for as many as there are.
            quota: Bounds the tokens that runs may use; else nothing does.
            policy: Else the built-in one, `agent/policy/default.yaml`.
            observer: Told of runs, answers of the model and calls of tools.
            outside: The systems in which tools of others have their effects, by name.
        """
        tools = catalog() if tools is None else tools
        services = Services(
            settings=settings,
            db=db,
            backend=backend,
            engine=engine or PlainEngine(),
            invoices=invoices,
            search=search,
            clock=clock,
            policy=policy or default_policy(),
            limits=Limits(db, clock, tools),
            audit=Audit(db, clock),
            tools=tools,
            input_guards=input_guards(),
            output_guards=output_guards(),
            web=web,
            secrets=secrets,
            classify=classify,
            quota=quota or NoQuota(),
            model_places=FairPlaces(settings.model_slots or model_slots),
            observer=observer or Observer(),
            outside=outside or {},
        )
        return cls(services)

    # ------------------------------------------------------------ lifecycle

    @property
    def ready(self) -> bool:
        """The model is loaded and warm, and the agent is not stopping."""
        return self._ready

    @property
    def load(self) -> Load:
        """What this process has to do now."""
        admission, events = self._admission, self._events
        return Load(
            running=admission.at_work,
            queued=admission.waiting,
            full=admission.full,
            unstored_events=events.unstored,
            writer_lag_seconds=events.lag,
            writes=events.writes,
        )

    async def check_model(self) -> None:
        """Whether the model could answer now, as far as that is cheap to know.

        Raises:
            ModelError: It could not.
        """
        if isinstance(self._services.backend, Checkable):
            await self._services.backend.check()

    async def start(self, *, on_progress: OnProgress | None = None, attend: bool = True) -> None:
        """Start the model, warm it, and take over what dead processes left unfinished.

        Args:
            attend: Else the caller awaits `attend` beside the first request, which waits for it once a tool is called.

        Raises:
            ModelError: The model cannot be had; its message says what to do.
        """
        if self._ready:
            return
        services = self._services
        prefix = await self._runner.prefix(LOCAL)
        loads = [asyncio.to_thread(services.engine.load)] if attend else []
        await asyncio.gather(
            services.backend.start(on_progress=on_progress, warm_prefix=prefix), asyncio.to_thread(_load_graph), *loads
        )
        self._events.start()
        services.audit.start()
        await self._replicas.join()  # before the engine: it gives us work at once, which somebody must find if we die
        self._replicas.start_beating()
        if attend:
            await self.attend()
        self._ready = True

    async def attend(self) -> None:
        """Start the engine, and what takes over from processes that died or die."""
        services = self._services
        handlers = {
            HANDLER: self._runner.handle,
            webhooks.HANDLER: self._deliveries.handle,
            schedules.HANDLER: self._firings.handle,
        }
        await services.engine.start(handlers, replica_id=self.replica_id)
        await self._replicas.watch()
        await self._caretaker.adopt_orphans()
        self._replicas.start_watching()
        self._caretaker.start()

    async def stop(self, *, grace: float = 10.0) -> None:
        """Take nothing more, let runs end for `grace` seconds, then break them off; running effects are finished.

        What is broken off goes on in another process, or after the next start.
        """
        self._ready = False
        await self._caretaker.stop()
        await self._firings.stop()
        await self._runner.drain(grace=grace)
        await self._deliveries.stop(grace=grace)
        await self._events.stop()
        await self._services.audit.stop()
        await self._services.engine.stop()
        await self._replicas.leave()
        await self._services.backend.stop()

    # ------------------------------------------------------------ requests

    async def submit(
        self,
        *,
        thread_id: str,
        input: str,
        documents: Sequence[str] = (),
        principal: Principal,
        idempotency_key: str | None = None,
        when_busy: WhenBusy | None = None,
        options: RunOptions = NO_OPTIONS,
    ) -> str:
        """Record a run and start it. Returns its id; for a key that came before with the same request, that run's.

        Args:
            when_busy: What to do while another run of the thread has not ended: `reject` the request, `enqueue` it, or
                `interrupt` the others, which ends them `cancelled`. By default as configured.

        Raises:
            AgentError: NotReady, Forbidden, InputTooLong, ThreadNotFound, NotYours, DocumentNotFound, ThreadBusy,
                IdempotencyConflict, TooBusy, TooManyRuns, QuotaExhausted. Nothing was started.
        """
        self._check_ready()
        if not principal.roles:
            raise Forbidden("Without a role nothing can be asked.")
        longest = self._services.settings.max_input_chars
        if len(input) > longest:
            raise InputTooLong(
                f"The request has {len(input)} characters; at most {longest} are read. Attach a document."
            )
        attached = await self._documents(documents, principal)
        when_busy = when_busy or self._services.settings.multitask
        asked = {"options": options.asked()} if options != NO_OPTIONS else {}
        new = NewRun(
            thread_id=thread_id,
            input=input,
            model=self._services.backend.name,
            principal=principal,
            documents=attached,
            owner_id=self.replica_id,
            idempotency_key=idempotency_key,
            request_digest=digest_of(thread=thread_id, input=input, documents=list(documents), **asked),
            when_busy=when_busy,
            options=options,
        )
        if (known := await self._runs.known(new)) is not None:
            return known
        await self._services.quota.check(principal)
        await self._check_share(principal)
        ticket = self._admission.admit(principal.user_id, principal.sources)
        try:
            return await self._begin(replace(new, queued=not ticket.placed), ticket)
        except BaseException:
            ticket.close()
            raise

    async def _begin(self, new: NewRun, ticket: Ticket) -> str:
        run, principal = await self._runs.create(new), new.principal
        if not run.is_new:
            ticket.close()
            return run.run_id
        self._services.observer.run_submitted(run.run_id)
        await self._runner.start(
            Start(
                run.run_id,
                new.thread_id,
                new.input,
                principal,
                new.documents,
                run.queued,
                run.first,
                run.last_state,
                ticket,
                new.options,
            )
        )
        if new.when_busy == "interrupt":
            for other in run.unfinished:
                with suppress(RunEnded, NotReady):  # it is recorded, and holds whatever becomes of us
                    await self.cancel(other, principal=principal)
        return run.run_id

    async def decide(
        self, approval_id: str, *, decision: Decision, digest: str, reason: str | None, principal: Principal
    ) -> None:
        """Decide an approval; when it was the last one that its run waits for, the run goes on, here.

        Raises:
            AgentError: NotReady, ApprovalNotFound, Forbidden, SelfApproval, ApprovalNotPending, ApprovalExpired,
                ApprovalDigestMismatch.
        """
        self._check_ready()
        decided = await self._approvals.decide(
            approval_id,
            approve=decision == "approve",
            digest=digest,
            reason=reason,
            principal=principal,
            owner_id=self.replica_id,
            self_approval=self._services.settings.self_approval == "allow",
        )
        if decided.goes_on:
            await self._runner.go_on(decided.run_id)
        if decided.overdue:
            raise ApprovalExpired("Nobody decided in time; the call will not run.")

    def may_approve(self, principal: Principal, asked_by: str | None) -> bool:
        """Whether `principal` may approve what `asked_by` asked for, as far as roles and the rule on one's own go."""
        self_approval = self._services.settings.self_approval == "allow"
        try:
            access.check_decide(principal, asked_by, approve=True, self_approval=self_approval)
        except Forbidden:
            return False
        return True

    async def cancel(self, run_id: str, *, principal: Principal) -> None:
        """From now on no tool starts in this run, wherever it is; it ends `cancelled`. A running effect is finished.

        Raises:
            AgentError: RunNotFound, Forbidden, RunEnded, NotReady.
        """
        row = await self._runs.find(run_id, principal=principal)
        access.check_change(principal, row.user_id, what="run")
        here = self._runner.stop(run_id, CANCELLED)
        asked = await self._runs.request_cancel(run_id)  # recorded, so that it holds if the run's process dies
        if here:
            return
        if not asked:
            if not await self._runner.cancel_waiting(run_id):
                await self._cancel_again(run_id)
            return
        await self._cancel_seen(run_id)

    async def _cancel_again(self, run_id: str) -> None:
        """It was neither at work nor waiting: a decision may have let it go on in that moment."""
        if self._runner.stop(run_id, CANCELLED) or await self._runs.request_cancel(run_id):
            await self._cancel_seen(run_id)
            return
        raise RunEnded("The run has ended already.")

    async def _cancel_seen(self, run_id: str) -> None:
        """Wait until the process that works on the run knows. One that is dead is found so meanwhile.

        Raises:
            NotReady: It did not confirm in time; the cancellation is recorded, and holds where the run goes on.
        """
        deadline = asyncio.get_running_loop().time() + CANCEL_PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            row = await self._runs.find(run_id)
            if row.cancel_seen_at is not None or row.status in ENDED or self._runner.stop(run_id, CANCELLED):
                return
            await asyncio.sleep(CANCEL_INTERVAL / 2)
        raise NotReady("The cancellation is recorded, but who works on the run has not confirmed it; ask again.")

    async def delete_thread(self, thread_id: str, *, principal: Principal) -> None:
        """Cancel a thread's runs and delete it. What it did to the world stays in the ledger.

        Raises:
            AgentError: ThreadNotFound.
        """
        await self._threads.close(thread_id, principal=principal)
        await self._delete_closed(thread_id, principal)

    async def _delete_closed(self, thread_id: str, principal: Principal) -> None:
        for run_id in await self._threads.unfinished(thread_id):
            with suppress(RunEnded):
                await self.cancel(run_id, principal=principal)
            await self.wait(run_id)
        stretches = await self._threads.delete(thread_id)
        await self._services.engine.forget(
            [work_id(run_id, stretch) for run_id, last in stretches for stretch in range(last + 1)]
        )

    # ------------------------------------------------------------ watching

    async def events(
        self, run_id: str, *, after: int = 0, principal: Principal | None = None
    ) -> AsyncGenerator[StoredEvent]:
        """A run's events with a sequence above `after`, stored ones first, then live, until it rests.

        Args:
            principal: When given, a run that they cannot see is not found.

        Raises:
            RunNotFound: At the first event.
        """
        if principal is not None:
            await self._runs.find(run_id, principal=principal)
        async with aclosing(self._events.read(run_id, after=after)) as events:
            async for event in events:
                yield event

    def reading(self, run_id: str, *, after: int = 0) -> Reading:
        """`events`, in portions, for readers that wait for other things too. Whether they may is not asked."""
        return self._events.reading(run_id, after=after)

    async def wait(self, run_id: str, *, principal: Principal | None = None) -> RunRecord:
        """The run, once it rests.

        Raises:
            RunNotFound: There is none, or `principal` cannot see it.
        """
        row = await self._runs.find(run_id, principal=principal)
        async with aclosing(self._events.read(run_id, after=row.last_sequence)) as events:
            async for _ in events:
                pass
        return await self._runs.record(run_id)

    # ------------------------------------------------------------ inside

    def _check_ready(self) -> None:
        if not self._ready:
            raise NotReady("The server is starting or stopping; try again in a moment.")

    async def _check_share(self, principal: Principal) -> None:
        """What `Admission` cannot know: the user's runs in other processes.

        Raises:
            TooManyRuns
        """
        user_id, settings = principal.user_id, self._services.settings
        if user_id is None or self._replicas.alone:
            return
        if await self._runs.working_of(user_id) >= settings.max_running_each + settings.max_queued_each:
            raise TooManyRuns("Too many of your requests wait already; try again later.", retry_after_seconds=FULL)

    async def _documents(self, ids: Sequence[str], principal: Principal) -> list[tuple[str, str]]:
        if not ids:
            return []
        rows = await self._services.db.document.find_many(
            where={**access.documents(principal), "id": {"in": list(ids)}}, omit={"content": True}
        )
        names = {row.id: row.name for row in rows}
        for document_id in ids:
            if document_id not in names:
                raise DocumentNotFound(document_id)
        return [(document_id, names[document_id]) for document_id in dict.fromkeys(ids)]

    # ------------------------------------------------------------ now and then

    async def _sweep(self) -> None:
        """Overdue approvals expire even when nobody looks; what was deleted by halves goes."""
        await self.expire_overdue()
        await self._delete_rest()

    async def _delete_rest(self) -> None:
        for thread_id, tenant_id in await self._threads.half_deleted():
            await self._delete_closed(thread_id, Principal(tenant_id, None, DECIDES))

    async def expire_overdue(self) -> None:
        """Let runs go on without the calls that nobody decided in time."""
        for approval_id, digest, tenant_id in await self._approvals.overdue():
            system = Principal(tenant_id, None, DECIDES)
            with suppress(AgentError):  # decided meanwhile, or `ApprovalExpired`, which is what we want
                await self.decide(approval_id, decision="reject", digest=digest, reason=None, principal=system)


def _load_graph() -> None:
    from agent.graph import turn_graph

    turn_graph()
