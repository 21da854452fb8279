"""What the graph's nodes work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent import access
from agent.audit import Audit
from agent.durable.base import Engine
from agent.event_log import RunLog
from agent.fair import FairPlaces
from agent.grounding import Grounding
from agent.guarding import Classifier, GuardContext, InputGuard, OutputGuard
from agent.llm.base import Backend
from agent.messages import ChatMessage
from agent.observer import Observer
from agent.options import NO_OPTIONS, RunOptions
from agent.policy import Policy
from agent.policy.limits import Limits
from agent.principal import Principal
from agent.quota import NoQuota, Quota
from agent.scope import Scope
from agent.settings import AgentSettings
from prisma import Prisma
from tools.context import ToolContext
from tools.registry import AnyTool
from tools.system import Attempt, System

if TYPE_CHECKING:
    from tools.invoicing import Invoices
    from tools.search import Search
    from tools.web import WebClient


@dataclass(frozen=True, slots=True)
class Services:
    """What all runs of this process share."""

    settings: AgentSettings
    db: Prisma
    backend: Backend
    engine: Engine
    invoices: Invoices
    search: Search | None
    clock: Callable[[], datetime]
    policy: Policy
    limits: Limits
    audit: Audit
    tools: Mapping[str, AnyTool]
    input_guards: Sequence[InputGuard]
    output_guards: Sequence[OutputGuard]
    secrets: Sequence[str] = ()
    classify: Classifier | None = None
    web: WebClient | None = None
    quota: Quota = field(default_factory=NoQuota)
    model_places: FairPlaces = field(default_factory=lambda: FairPlaces(None))
    outside: Mapping[str, System] = field(default_factory=dict[str, System])
    observer: Observer = field(default_factory=Observer)

    def tool_context(
        self,
        *,
        db: Prisma,
        principal: Principal,
        run_id: str,
        call_id: str,
        idempotency_key: str,
        attempt: Attempt = "first",
    ) -> ToolContext:
        """One call's surroundings."""
        return ToolContext(
            db=db,
            tenant_id=principal.tenant_id,
            user_id=principal.user_id,
            run_id=run_id,
            call_id=call_id,
            idempotency_key=idempotency_key,
            invoices=self.invoices,
            search=self.search,
            web=self.web,
            attempt=attempt,
            now=self.clock,
            documents=access.documents(principal),
        )

    def system_of(self, tool: AnyTool) -> System | None:
        """The system outside our database in which this tool has its effects; None for none."""
        if tool.through is None:
            return None
        systems: Mapping[str, System] = {"invoices": self.invoices, **self.outside}
        system = systems[tool.through]
        return None if system.local else system

    def tools_for(self, principal: Principal) -> list[AnyTool]:
        """Every tool that may be in this principal's prompt: the role may use it and what it needs is configured."""
        there = {"search": self.search, "web": self.web, "invoices": self.invoices, "user_id": principal.user_id}
        return [
            tool
            for tool in self.tools.values()
            if self.policy.may_see(tool, principal.roles, tenant_id=principal.tenant_id)
            and all(there.get(need) is not None for need in tool.needs)
        ]


Record = dict[str, Any]
"""What a step gave, JSON."""


@dataclass(slots=True)
class Head:
    """How a stretch of work begins. `begun`: the engine knows of it. `record`: what its first step gave already."""

    begun: bool = True
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Deps:
    """One stretch of one run.

    Attributes:
        tools: Those that are in the prompt and that the request's options leave.
        attempt: The run's fencing token.
        prefix: The stable beginning of every conversation of this role.
        history: Earlier messages of the thread, as far as they fit.
        log: The run's events, for what must not take the way through the graph's stream.
    """

    services: Services
    run_id: str
    attempt: int
    principal: Principal
    grounding: Grounding
    scope: Scope
    tools: Sequence[AnyTool]
    prefix: Sequence[ChatMessage]
    history: Sequence[ChatMessage]
    guard_context: GuardContext
    log: RunLog
    options: RunOptions = NO_OPTIONS
    head: Head = field(default_factory=Head)
