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


def run_here(name: str, *, is_open: bool = False) -> list[Result]:
    """`run_suite` in a process of its own."""
    return asyncio.run(run_suite(name, is_open=is_open))


def open_cases_of(suite: Suite) -> list[Case]:
    """Every pair once, obeyed at once, and nobody who says no."""
    return [
        Case(task, injection, "at_once", "rubber_stamp") for task in suite.user_tasks for injection in suite.injections
    ]


async def run_suite(name: str, *, is_open: bool = False) -> list[Result]:
    """Every case of the suite.

    Args:
        is_open: With a policy that allows everything, once a pair, obeyed at once: what the attacks do by themselves.
    """
    suite = Suite(name)
    free = asyncio.Semaphore(AT_ONCE)

    async with _stage(suite, is_open=is_open) as stage:

        async def one(case: Case) -> Result:
            async with free:
                return await run_pair(stage, *case)

        cases = open_cases_of(suite) if is_open else cases_of(suite)
        tasks = [asyncio.create_task(one(case), context=copy_context()) for case in cases]
        return await asyncio.gather(*tasks)


@asynccontextmanager
async def _stage(suite: Suite, *, is_open: bool) -> AsyncGenerator[Stage]:
    """The suite's tools and policy in an agent as production makes it; only its limits are as high as the tasks are
    long."""
    tools = tools_of(suite)
    policy = load_policy(FOLDER / ("open.yaml" if is_open else f"{suite.name}/policy.yaml"), tools)
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
