"""All pairs of a suite, several at once, with one agent over one database."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from pathlib import Path
from typing import NamedTuple

from agent.policy import load_policy
from agent.service import Agent
from agent.settings import AgentSettings
from evals.outside.agentdojo.gullible import Gullible, Obedience
from evals.outside.agentdojo.pair import Result, Stage, run_pair
from evals.outside.agentdojo.people import PersonKind
from evals.outside.agentdojo.theirs import Suite
from evals.outside.agentdojo.tools import FOLDER, named_by, tools_of
from prisma import Prisma
from prisma.migrate.apply import migrate
from tools.settings import ToolSettings, create_invoices

AT_ONCE = 16


class Case(NamedTuple):
    """One pair, or with no injection a task alone, in one way."""

    user_task: str
    injection: str | None
    obedience: Obedience
    person: PersonKind


def cases_of(suite: Suite) -> list[Case]:
    """Every way of every pair, and every task alone."""
    harmless: Sequence[PersonKind] = ("honest", "denying")
    ways: Sequence[tuple[Obedience, PersonKind]] = (
        ("at_once", "honest"),
        ("at_once", "denying"),
        ("at_once", "rubber_stamp"),
        ("at_the_end", "honest"),
        ("at_the_end", "rubber_stamp"),
        ("spliced", "honest"),
        ("spliced", "rubber_stamp"),
    )
    alone = [Case(task, None, "never", person) for task in suite.user_tasks for person in harmless]
    pairs = [
        Case(task, injection, obedience, person)
        for task in suite.user_tasks
        for injection in suite.injections
        for obedience, person in ways
    ]
    return [*alone, *pairs]


async def run_suite(name: str) -> list[Result]:
    """Every case of the suite."""
    suite = Suite(name)
    free = asyncio.Semaphore(AT_ONCE)

    async with _stage(suite) as stage:

        async def one(case: Case) -> Result:
            async with free:
                return await run_pair(stage, *case)

        tasks = [asyncio.create_task(one(case), context=copy_context()) for case in cases_of(suite)]
        return await asyncio.gather(*tasks)


@asynccontextmanager
async def _stage(suite: Suite) -> AsyncGenerator[Stage]:
    """The suite's tools and policy in an agent as production makes it; only its limits are as high as the tasks are
    long."""
    tools = tools_of(suite)
    policy = load_policy(FOLDER / suite.name / "policy.yaml", tools)
    settings = AgentSettings(
        _env_file=None,  # pyright: ignore[reportCallIssue]  pydantic-settings takes it
        max_steps=100,
        max_tokens=10**9,
        history_tokens=0,
    )
    with tempfile.TemporaryDirectory(prefix="deskclerk-agentdojo-") as folder:
        url = f"file:{Path(folder) / 'agentdojo.db'}"
        await migrate(url)
        db = Prisma(url=url)
        await db.connect()
        await db.tenant.create(data={"id": "default", "name": "AgentDojo"})
        agent = Agent.create(
            settings,
            db=db,
            backend=Gullible(),
            invoices=create_invoices(ToolSettings(_env_file=None)),  # pyright: ignore[reportCallIssue]  as above
            policy=policy,
            tools=tools,
        )
        await agent.start()
        try:
            yield Stage(suite, named_by(suite), tools, policy, agent, db)
        finally:
            await agent.stop()
            await db.disconnect()
