"""An agent over a real database, a scripted model and tools that leave countable traces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest_asyncio

from agent.observer import Observer
from agent.policy import Policy
from agent.principal import DEFAULT_TENANT, Principal, Role
from agent.records import StoredEvent
from agent.service import Agent
from agent.settings import AgentSettings
from tests.support.desk_tools import Desk, desk_tools
from tests.support.scripted_model import Script, ScriptedModel
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma


@dataclass
class Office:
    """A started agent and everything a test asks about it."""

    agent: Agent
    db: Prisma
    model: ScriptedModel
    desk: Desk
    thread_id: str

    async def ask(self, text: str = "Please do it for cus_acme.", **options: Any) -> str:
        """Submit a request of the office's clerk-and-approver; returns the run's id."""
        options.setdefault("principal", principal("admin"))
        options.setdefault("thread_id", self.thread_id)
        return await self.agent.submit(input=text, **options)

    async def events(self, run_id: str, *, after: int = 0) -> list[StoredEvent]:
        """Every event until the run rests."""
        return [event async for event in self.agent.events(run_id, after=after)]

    async def effects(self) -> int:
        """How often any effect took place."""
        return await self.db.tag.count()


def principal(*roles: Role, tenant: str = DEFAULT_TENANT) -> Principal:
    return Principal(tenant, None, frozenset(roles))


def types(events: list[StoredEvent]) -> list[str]:
    """Event types with runs of tokens as one."""
    out: list[str] = []
    for event in events:
        if event.type != "token" or out[-1:] != ["token"]:
            out.append(event.type)
    return out


def data_of(events: list[StoredEvent], kind: str) -> list[dict[str, Any]]:
    """The data of the events of one type."""
    return [orjson.loads(event.data) for event in events if event.type == kind]


def text_of(events: list[StoredEvent]) -> str:
    """What the person read while it streamed."""
    return "".join(data["text"] for data in data_of(events, "token"))


OpenOffice = Callable[..., Awaitable[Office]]


@pytest_asyncio.fixture
async def open_office(database: Prisma) -> AsyncGenerator[OpenOffice]:
    """Makes offices over the test's database; stops them all at its end."""
    agents: list[Agent] = []

    async def make(
        script: Script,
        *,
        desk: Desk | None = None,
        native_tools: bool = False,
        clock: Callable[[], datetime] = utc_now,
        tool_timeout: float = 5.0,
        policy: Policy | None = None,
        observer: Observer | None = None,
        **settings: Any,
    ) -> Office:
        desk = desk or Desk()
        model = ScriptedModel(script, native_tools=native_tools)
        agent = Agent.create(
            AgentSettings(**settings),
            db=database,
            backend=model,
            invoices=cast("Any", None),
            clock=clock,
            policy=policy,
            observer=observer,
            tools=desk_tools(desk, timeout=tool_timeout),
        )
        await agent.start()
        agents.append(agent)
        thread = await database.thread.create(data={"tenant_id": DEFAULT_TENANT})
        return Office(agent, database, model, desk, thread.id)

    yield make
    for agent in agents:
        await agent.stop(grace=0.0)
