"""The agent's public entry: the API, the command line and the evals use this and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from agent.approvals import Approvals
from agent.deps import Services
from agent.digest import digest as digest_of
from agent.emitter import encode
from agent.ending import CANCELLED, INTERRUPTED
from agent.errors import (
    AgentError,
    ApprovalExpired,
    DocumentNotFound,
    Forbidden,
    InputTooLong,
    NotReady,
    RunEnded,
)
from agent.event_log import EventLog
from agent.event_store import EventStore
from agent.events import RunFinished, UsageInfo
from agent.guarding import input_guards, output_guards
from agent.llm.base import Backend, OnProgress
from agent.policy import DECIDES, Policy
from agent.principal import LOCAL, Principal
from agent.records import RunRecord, StoredEvent
from agent.run_store import NewRun, RunStore
from agent.runner import Runner, Start
from agent.settings import AgentSettings
from tools.context import utc_now
from tools.registry import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prisma import Prisma
    from tools.invoicing import Invoices
    from tools.registry import AnyTool
    from tools.search import Search

log = logging.getLogger(__name__)

Decision = Literal["approve", "reject"]
SWEEP_INTERVAL = 60.0  # seconds between two looks for approvals whose time is over


class Agent:
    """Takes requests, runs them in the background of this process, tells what happens."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._runs = RunStore(services.db, services.clock)
        self._approvals = Approvals(services.db, services.clock)
        self._events = EventLog(EventStore(services.db))
        self._runner = Runner(services, self._runs, self._events)
        self._sweeper: asyncio.Task[None] | None = None
        self._ready = False

    @classmethod
    def create(
        cls,
        settings: AgentSettings,
        *,
        db: Prisma,
        backend: Backend,
        invoices: Invoices,
        search: Search | None = None,
        clock: Callable[[], datetime] = utc_now,
        policy: Policy | None = None,
        tools: Mapping[str, AnyTool] | None = None,
    ) -> Agent:
        """An agent over a connected database and a model; `start` it before use.

        Args:
            tools: By name; else the whole catalogue.
            policy: Else the rules of `agent/policy.py`.
        """
        services = Services(
            settings=settings,
            db=db,
            backend=backend,
            invoices=invoices,
            search=search,
            clock=clock,
            policy=policy or Policy(),
            tools=catalog() if tools is None else tools,
            input_guards=input_guards(),
            output_guards=output_guards(),
        )
        return cls(services)

    # ------------------------------------------------------------ lifecycle

    @property
    def ready(self) -> bool:
        """The model is loaded and warm, and the agent is not stopping."""
        return self._ready

    async def start(self, *, on_progress: OnProgress | None = None) -> None:
        """Start the model, warm it, and mark runs that a crash left `running` as failed (`interrupted`).

        Raises:
            ModelError: The model cannot be had; its message says what to do.
        """
        if self._ready:
            return
        await self._recover()
        prefix = await self._runner.prefix(LOCAL)
        await asyncio.gather(
            self._services.backend.start(on_progress=on_progress, warm_prefix=prefix),
            asyncio.to_thread(_load_graph),
        )
        self._events.start()
        self._sweeper = asyncio.create_task(self._sweep(), name="approval-sweeper")
        self._ready = True

    async def stop(self, *, grace: float = 10.0) -> None:
        """Take nothing more, let runs end for `grace` seconds, then interrupt them; running effects are finished."""
        self._ready = False
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
            self._sweeper = None
        await self._runner.drain(grace=grace)
        await self._events.stop()
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
    ) -> str:
        """Record a run and start it. Returns its id; for a key that came before with the same request, that run's.

        Raises:
            AgentError: NotReady, Forbidden, InputTooLong, ThreadNotFound, DocumentNotFound, ThreadBusy,
                IdempotencyConflict. Nothing was started.
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
        new = NewRun(
            thread_id=thread_id,
            input=input,
            model=self._services.backend.name,
            principal=principal,
            idempotency_key=idempotency_key,
            request_digest=digest_of(thread=thread_id, input=input, documents=list(documents)),
        )
        run = await self._runs.create(new)
        if run.is_new:
            self._runner.start(Start(run.run_id, thread_id, input, principal, attached, run.first, run.last_state))
        return run.run_id

    async def decide(
        self, approval_id: str, *, decision: Decision, digest: str, reason: str | None, principal: Principal
    ) -> None:
        """Decide an approval; when it was the last one that its run waits for, the run goes on.

        Raises:
            AgentError: NotReady, Forbidden, ApprovalNotFound, ApprovalNotPending, ApprovalExpired,
                ApprovalDigestMismatch.
        """
        self._check_ready()
        if not principal.roles & DECIDES:
            raise Forbidden("This role may not decide approvals.")
        decided = await self._approvals.decide(
            approval_id,
            approve=decision == "approve",
            digest=digest,
            reason=reason,
            tenant_id=principal.tenant_id,
            user_id=principal.user_id,
        )
        if decided.goes_on:
            await self._runner.go_on(decided.run_id)
        if decided.overdue:
            raise ApprovalExpired("Nobody decided in time; the call will not run.")

    async def cancel(self, run_id: str, *, principal: Principal) -> None:
        """Start no new tool in this run and end it `cancelled`. A running effect is finished and recorded.

        Raises:
            AgentError: RunNotFound, RunEnded.
        """
        await self._runs.find(run_id, tenant_id=principal.tenant_id)
        if self._runner.stop(run_id, CANCELLED) or await self._runner.cancel_waiting(run_id):
            return
        if not self._runner.stop(run_id, CANCELLED):  # a decision may have let it go on meanwhile
            raise RunEnded("The run has ended already.")

    # ------------------------------------------------------------ watching

    async def events(
        self, run_id: str, *, after: int = 0, principal: Principal | None = None
    ) -> AsyncGenerator[StoredEvent]:
        """A run's events with a sequence above `after`, stored ones first, then live, until it rests.

        Args:
            principal: When given, another company's run is not found.

        Raises:
            RunNotFound: At the first event.
        """
        if principal is not None:
            await self._runs.find(run_id, tenant_id=principal.tenant_id)
        async with aclosing(self._events.read(run_id, after=after)) as events:
            async for event in events:
                yield event

    async def wait(self, run_id: str, *, principal: Principal | None = None) -> RunRecord:
        """The run, once it rests.

        Raises:
            RunNotFound: There is none, or it is another company's.
        """
        row = await self._runs.find(run_id, tenant_id=principal.tenant_id if principal is not None else None)
        async with aclosing(self._events.read(run_id, after=row.last_sequence)) as events:
            async for _ in events:
                pass
        return await self._runs.record(run_id)

    # ------------------------------------------------------------ inside

    def _check_ready(self) -> None:
        if not self._ready:
            raise NotReady("The server is starting or stopping; try again in a moment.")

    async def _documents(self, ids: Sequence[str], principal: Principal) -> list[tuple[str, str]]:
        if not ids:
            return []
        rows = await self._services.db.document.find_many(
            where={"id": {"in": list(ids)}, "tenant_id": principal.tenant_id}, omit={"content": True}
        )
        names = {row.id: row.name for row in rows}
        for document_id in ids:
            if document_id not in names:
                raise DocumentNotFound(document_id)
        return [(document_id, names[document_id]) for document_id in dict.fromkeys(ids)]

    async def _recover(self) -> None:
        """One process works on a database: what is `running` before we start was left by a crash."""
        for row in await self._runs.unfinished():
            usage = UsageInfo(input_tokens=row.input_tokens, output_tokens=row.output_tokens, steps=row.steps)
            final = encode(RunFinished(status="failed", usage=usage, error=INTERRUPTED.error))
            await self._runs.end_resting(
                row.id, was=["queued", "running"], ending=INTERRUPTED, messages=[], final=final
            )
            log.warning("run_interrupted", extra={"run_id": row.id})

    async def _sweep(self) -> None:
        """Overdue approvals expire even when nobody looks."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            await self.expire_overdue()

    async def expire_overdue(self) -> None:
        """Let runs go on without the calls that nobody decided in time."""
        for approval_id, digest, tenant_id in await self._approvals.overdue():
            system = Principal(tenant_id, None, DECIDES)
            with suppress(AgentError):  # decided meanwhile, or `ApprovalExpired`, which is what we want
                await self.decide(approval_id, decision="reject", digest=digest, reason=None, principal=system)


def _load_graph() -> None:
    from agent.graph import turn_graph

    turn_graph()
