"""Opens a stretch of a run: its state, and what the graph's nodes work with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from agent import access
from agent.conversation import grounding_after, load_history, newest_that_fit, observe_seed
from agent.deps import Deps, Services
from agent.durable.base import WorkDiverged
from agent.emitter import encode
from agent.events import RunStarted
from agent.grounding import Grounding, prompt, with_documents
from agent.guarding import GuardContext
from agent.messages import ChatMessage
from agent.options import NO_OPTIONS, RunOptions
from agent.principal import Principal
from agent.run_store import RunStore, StoredRequest
from agent.state import RunState, Snapshot, Timing, load_state, new_state
from agent.tokens import estimate
from agent.work import Opened, Start, Work, milliseconds, tokens_of

if TYPE_CHECKING:
    from prisma.client.models import Run

Turns = Sequence[Sequence[ChatMessage]]


@dataclass(slots=True)
class Opening:
    """Reads what a stretch begins with."""

    services: Services
    runs: RunStore
    _companies: dict[str, str] = field(default_factory=dict[str, str])

    def nothing(self) -> Opened:
        """What there is of a stretch before anything was read."""
        return Opened(new_state([]), Grounding(currencies=self.services.settings.currencies))

    async def open(self, work: Work, opened: Opened) -> None:
        """Fill `opened`. Its `deps` stay None where whoever asked has no role any more.

        Raises:
            WorkDiverged: The run was taken over too often.
        """
        row = None if work.known is not None else await self.runs.find(work.run_id)
        if row is not None and work.stuck:
            raise WorkDiverged(f"taken over {row.recoveries} times")
        options = NO_OPTIONS
        if row is not None and row.stretch > 0:
            options = StoredRequest.model_validate(row.request).options
            snapshot = Snapshot.model_validate(row.state)
            opened.principal, opened.grounding = snapshot.principal, Grounding.load(snapshot.grounding)
            opened.state, turns = await self._saved(work, snapshot)
            work.charged = tokens_of(opened.state)
        else:
            start = work.known or await self._stored_start(cast("Run", row))
            opened.principal, options = start.principal, start.options
            opened.state, opened.grounding, turns = await self._fresh(work, start)
        if work.known is None or work.known.queued:
            opened.principal = await self._as_of_now(opened.principal)
        if opened.principal.roles:
            opened.deps = await self._deps(work, opened, turns, options=options)

    async def unbegun(self, run_id: str, thread_id: str) -> Opened:
        """A run that ends before it has begun."""
        row = await self.runs.find(run_id)
        _, left = await self.runs.last_state(thread_id, but=run_id)
        return Opened(
            new_state([ChatMessage(role="user", content=row.input)]),
            grounding_after(left, currencies=self.services.settings.currencies),
            StoredRequest.model_validate(row.request).principal,
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

    async def _fresh(self, work: Work, start: Start) -> tuple[RunState, Grounding, Turns]:
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

    async def _saved(self, work: Work, snapshot: Snapshot) -> tuple[RunState, Turns]:
        state = load_state(cast("dict[str, Any]", snapshot.state))
        turns = await load_history(self.services.db, work.thread_id)
        if state["stored"]:
            del turns[-1]  # this run's own messages are in its state
        return state, turns

    async def _deps(self, work: Work, opened: Opened, turns: Turns, *, options: RunOptions) -> Deps:
        services, principal = self.services, opened.principal
        prefix = await self.prefix(principal)
        room = services.backend.context_tokens - estimate(prefix) - estimate(opened.state["messages"])
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
            grounding=opened.grounding,
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
