"""What the server and the command line both stand on: a migrated database and an agent that is ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.llm.base import OnProgress, Progress
from agent.principal import DEFAULT_TENANT
from api.checks import checks_of
from api.observing.readiness import Readiness
from api.secrets import secret_values
from api.settings import ApiSettings

if TYPE_CHECKING:
    from agent.observer import Observer
    from agent.service import Agent
    from prisma import Prisma

log = logging.getLogger(__name__)

HEAD_START = 1.0  # seconds for the first request to reach the model, before anything else is begun beside it


@dataclass(frozen=True, slots=True)
class Service:
    """Open and ready. Both belong to whoever opened it."""

    db: Prisma
    agent: Agent
    model: str  # as configured, like `ollama:qwen3:8b`
    readiness: Readiness = field(default_factory=lambda: Readiness({}))


@asynccontextmanager
async def open_database(url: str, *, on_progress: OnProgress | None = None) -> AsyncGenerator[Prisma]:
    """A connected database with every migration applied and the default company's row in it."""
    from prisma import Prisma
    from prisma.migrate.apply import migrate

    if on_progress is not None:
        on_progress(Progress("Opening the database", 0, None, "step"))
    for applied in await migrate(url):
        log.info("migration applied: %s", applied.name)
    db = Prisma(url=url)
    await db.connect(progress=_in_percent(on_progress))
    try:
        await db.tenant.upsert(
            where={"id": DEFAULT_TENANT},
            data={"create": {"id": DEFAULT_TENANT, "name": "Our company"}, "update": {}},
        )
        yield db
    finally:
        await db.disconnect()


def _in_percent(on_progress: OnProgress | None) -> Callable[[str, float], None]:
    """The database's way to tell progress, told on: fetching and compiling its query compiler takes seconds, once."""

    def tell(step: str, share: float) -> None:
        if on_progress is not None:
            on_progress(Progress(step, round(share * 100), 100, "step"))

    return tell


async def _attend(agent: Agent) -> None:
    await asyncio.sleep(HEAD_START)  # imports hold Python's lock; once the model is asked, nobody needs it
    await agent.attend()


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    """Let `work` be done beside the block, which ends with what it raises, and does not end before it."""
    block = asyncio.current_task()
    assert block is not None
    task = asyncio.create_task(work)

    def ended(_: object) -> None:
        if not task.cancelled() and task.exception() is not None:
            block.cancel()

    task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            block.uncancel()
            raise error from None
        raise
    finally:
        task.remove_done_callback(ended)
        await asyncio.wait([task])


@asynccontextmanager
async def open_service(
    settings: ApiSettings,
    *,
    on_progress: OnProgress | None = None,
    observer: Observer | None = None,
    prepare: Callable[[Prisma], Awaitable[None]] | None = None,
    soon: bool = False,
) -> AsyncGenerator[Service]:
    """Migrate and connect the database, load and warm the model; give both back at the end.

    Args:
        observer: Told of runs, answers of the model and calls of tools.
        prepare: Awaited beside the loading of the model, before the first request.
        soon: Be there for one person as soon as the model can be asked. What carries runs through crashes starts
            beside their first request, and tools wait for it.

    Raises:
        agent.outside.config.OutsideToolsInvalid: Tools of others cannot be used as configured; the message says why.
        agent.policy.InvalidPolicy: The policy file is none; the message says where and why.
        agent.llm.errors.ModelError: The model cannot be had; the message says what to do.
        prisma.migrate.errors.MigrateError, prisma.errors.PrismaError: The database cannot.
    """
    from agent.durable.dbos import DbosEngine
    from agent.durable.plain import PlainEngine
    from agent.llm.create import create_backend
    from agent.llm.settings import LlmSettings
    from agent.outside.open import open_outside_tools
    from agent.policy import load_policy
    from agent.service import Agent
    from agent.settings import AgentSettings
    from api.auth.settings import AuthSettings
    from api.limits.settings import LimitSettings
    from tools.registry import catalog
    from tools.settings import ToolSettings, create_invoices, create_search, create_web

    agent_settings, tool_settings, llm_settings = AgentSettings(), ToolSettings(), LlmSettings()
    async with AsyncExitStack() as stack:
        outside = await stack.enter_async_context(open_outside_tools(agent_settings.tools))
        policy = load_policy(agent_settings.policy, {**catalog(), **outside.tools})
        db = await stack.enter_async_context(open_database(settings.database_url, on_progress=on_progress))
        invoices = create_invoices(tool_settings)
        stack.push_async_callback(invoices.close)
        search = create_search(tool_settings)
        if search is not None:
            stack.push_async_callback(search.close)
        web = create_web(tool_settings)
        if web is not None:
            stack.push_async_callback(web.close)
        limits = LimitSettings()
        quota = None
        if limits.enabled(auth=settings.auth):
            from api.limits.tokens import TokenQuota

            quota = TokenQuota(limits)
            stack.push_async_callback(quota.close)
        agent = Agent.create(
            agent_settings,
            db=db,
            backend=create_backend(agent_settings.llm, llm_settings),
            engine=DbosEngine(settings.database_url) if agent_settings.durable == "on" else PlainEngine(),
            invoices=invoices,
            search=search,
            policy=policy,
            web=web,
            model_slots=llm_settings.slots if agent_settings.llm.startswith("embedded") else None,
            quota=quota,
            secrets=secret_values(settings, AuthSettings(), agent_settings, tool_settings, llm_settings),
            observer=observer,
            tools={**catalog(), **outside.allowed(policy)},
            outside=outside.systems,
        )
        stack.push_async_callback(agent.stop, grace=settings.shutdown_seconds)
        prepared = [prepare(db)] if prepare is not None else []
        await asyncio.gather(agent.start(on_progress=on_progress, attend=not soon), *prepared)
        if soon:
            await stack.enter_async_context(_beside(_attend(agent)))
        yield Service(db, agent, agent_settings.llm, Readiness(checks_of(db, agent)))
