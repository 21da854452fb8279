"""`deskclerk evals run`, from its options to its last line."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.llm.create import create_backend
from agent.llm.settings import LlmSettings
from agent.policy.load import load_policy
from agent.settings import AgentSettings
from evals.case import Case
from evals.desks.remote import RemoteDesk, connect
from evals.identity import identity_of
from evals.results import Sample
from evals.running.inspection import LOGS, through_inspect
from evals.running.progress import Tally, show
from evals.running.store import Run, begin, resume
from evals.sampler import CaseSampler
from evals.solutions import SolutionBackend
from evals.stored import FOLDER
from evals.suite import CASES, load
from evals.trying import Tried, attempt, attempt_at
from evals.worlds import Worlds
from prisma import Prisma
from tools.registry import catalog


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be run. `database_url` is the server's own, and only there for `url`: its records are replaced."""

    suite: Path = CASES
    tags: Sequence[str] = ()
    names: Sequence[str] = ()
    epochs: int = 1
    at_once: int = 2
    url: str | None = None
    token: str | None = None
    database_url: str | None = None
    go_on: bool = False
    results: Path = FOLDER
    logs: Path = LOGS


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run went. `left_out` are cases whose role could not be had; `again` samples that were made before."""

    results: Path
    log: str
    tally: Tally
    samples: Sequence[Sample]
    left_out: int
    again: int


async def run(options: Options) -> Ran:
    """Run, or go on.

    Raises:
        ModelError, InvalidCase, InvalidPolicy, PrismaError, Infrastructure: Nothing could be begun.
    """
    chosen = load(options.suite, tags=options.tags, names=options.names)
    async with open_sampler(chosen, options) as (sampler, kept):
        stored = resume(sampler.identity, sampler.cases, folder=options.results) if options.go_on else None
        stored = stored or begin(sampler.identity, sampler.cases, folder=options.results)
        return await _through(stored, sampler.keeping(stored.folder), kept, options, left_out=len(chosen) - len(kept))


async def _through(stored: Run, sampler: CaseSampler, cases: Sequence[Case], options: Options, *, left_out: int) -> Ran:
    tally, again = Tally(), len(stored.done)
    for sample in stored.done.values():
        tally.add(sample)
    with show(len(cases) * options.epochs, tally) as on_sample:

        async def make(case: str, epoch: int) -> Sample:
            if (known := stored.done.get((case, epoch))) is not None:
                return known
            sample = await sampler.run(case, epoch)
            stored.add(sample)
            if sample.counts:
                sampler.forget_answers(case, epoch)
            on_sample(sample)
            return sample

        complete = False
        try:
            log = await through_inspect(
                cases,
                sampler.identity,
                make,
                epochs=options.epochs,
                at_once=options.at_once,
                results=stored.path,
                logs=options.logs,
            )
            complete = tally.away == 0
        finally:
            stored.close(complete=complete)
    return Ran(stored.path, log, tally, list(stored.done.values()), left_out, again)


@asynccontextmanager
async def open_sampler(chosen: Sequence[Case], options: Options) -> AsyncGenerator[tuple[CaseSampler, list[Case]]]:
    """Everything that lives as long as the run: the model and the worlds, or the server."""
    async with AsyncExitStack() as stack:
        if options.url is not None:
            yield await _at_server(chosen, options, stack)
        else:
            yield await _here(chosen, options, stack)


async def _here(chosen: Sequence[Case], options: Options, stack: AsyncExitStack) -> tuple[CaseSampler, list[Case]]:
    settings, llm = AgentSettings(), LlmSettings()
    backend = create_backend(settings.llm, llm)
    policy = load_policy(settings.policy, catalog())
    await backend.start()
    stack.push_async_callback(backend.stop)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="deskclerk-evals-"))
    worlds = await stack.enter_async_context(
        Worlds(Path(folder), settings, backend, size=options.at_once, policy=policy)
    )
    identity = identity_of(options.suite.stem, backend, settings, llm)
    sampler = CaseSampler(chosen, identity, lambda case, asked: attempt(case, worlds, asked), backend=backend)
    return sampler, list(chosen)


async def _at_server(chosen: Sequence[Case], options: Options, stack: AsyncExitStack) -> tuple[CaseSampler, list[Case]]:
    assert options.url is not None
    assert options.database_url is not None
    desk = RemoteDesk(await stack.enter_async_context(connect(options.url, options.token)))
    roles = {str(role) for role in (await desk.me())["roles"]}
    roles |= {"clerk"} if "admin" in roles else set()
    kept = [case for case in chosen if case.role in roles]
    db = Prisma(url=options.database_url)
    await db.connect()
    stack.push_async_callback(db.disconnect)
    one = asyncio.Lock()  # one database, so one case at a time

    async def at_server(case: Case, _: object) -> Tried:
        async with one:
            return await attempt_at(case, desk, db)

    nobody = SolutionBackend(())  # the model is the server's
    identity = identity_of(options.suite.stem, nobody, AgentSettings(), LlmSettings()).model_copy(
        update={"model": await desk.model(), "model_digest": "the server's", "sampling": {}}
    )
    return CaseSampler(kept, identity, at_server, backend=nobody, keeps_answers=False), kept
