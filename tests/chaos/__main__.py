"""The proofs of `tests/chaos/` in full: `make chaos`, or `python -m tests.chaos NAME ...` for some of them.

Prints a line for each with what was counted and measured; ends with 1 when one of them failed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from agent.service import Agent
from agent.settings import AgentSettings
from prisma import Prisma
from prisma.migrate.apply import migrate
from tests.agent.conftest import Office
from tests.chaos.test_races import approve_against_cancel, two_approvals
from tests.support.chaos import cuts, faults
from tests.support.chaos.nursery import Nursery
from tests.support.chaos.races import race_over_http
from tests.support.chaos.readers import approval_seconds, approve_all, read_one_by_one, send, whole
from tests.support.chaos.rounds import Trial, kill_at_points, kill_at_random, kill_one_of_two, trial
from tests.support.deadly_server import every_point
from tests.support.desk_tools import Desk, desk_tools
from tests.support.postgres import PostgresServer
from tests.support.scripted_model import ScriptedModel

KILLS = 100
RACES = 1_000
DECISIONS = 50
READERS = 10


@dataclass
class Bench:
    """What the proofs need."""

    nursery: Nursery
    postgres: PostgresServer

    @asynccontextmanager
    async def open(self, database: str, *, start: bool = False, **options: Any) -> AsyncGenerator[Trial]:
        """A trial on `sqlite` (one server) or `postgresql` (two)."""
        folder = Path(tempfile.mkdtemp(prefix="chaos"))
        url = f"file:{folder}/desk.db"
        if database == "postgresql":
            url = self.postgres.url(await self.postgres.create_database())
            options.setdefault("replicas", 2)
        async with trial(url, folder, self.nursery, **options) as made:
            if start:
                await asyncio.gather(*(replica.start() for replica in made.replicas))
            yield made

    @asynccontextmanager
    async def office(self) -> AsyncGenerator[Office]:
        """An agent in this process."""
        async with AsyncExitStack() as stack:
            url = f"file:{tempfile.mkdtemp(prefix='chaos')}/desk.db"
            await migrate(url)
            db = await stack.enter_async_context(Prisma(url))
            await db.tenant.create(data={"id": "default", "name": "Demo company"})
            desk, model = Desk(), ScriptedModel([])
            agent = Agent.create(
                AgentSettings(), db=db, backend=model, invoices=cast("Any", None), tools=desk_tools(desk)
            )
            await agent.start()
            stack.push_async_callback(agent.stop, grace=0.0)
            yield Office(agent, db, model, desk, "")


def _counted(made: Trial) -> str:
    return (
        f"{made.kills} kills or cuts, {made.points} open orders hit, {len(made.customers)} orders, "
        f"{made.asked_again} questions to the model repeated, 0 effects repeated, 0 lost"
    )


def _times(seconds: Sequence[float], *, unit: str = "s") -> str:
    factor = 1000 if unit == "ms" else 1
    return f"median {statistics.median(seconds) * factor:.3g} {unit}, most {max(seconds) * factor:.3g} {unit}"


async def random_kills(bench: Bench, database: str, invoicing: str) -> str:
    """kill -9 at random moments; on PostgreSQL another server takes over."""
    async with bench.open(database, orders=KILLS * 3 + 3, invoicing=invoicing) as made:
        kill = kill_at_random if database == "sqlite" else kill_one_of_two
        await kill(made, kills=KILLS, open_orders=3, seconds=2.5, chance=random.Random())
        return _counted(made)


async def named_kills(bench: Bench, database: str, invoicing: str) -> str:
    """kill -9 before and after everything that is committed."""
    points = every_point(outside=invoicing != "ledger")
    async with bench.open(database, orders=len(points) * 3 + 3, invoicing=invoicing, replicas=1) as made:
        await kill_at_points(made, points)
        return f"{_counted(made)}; {len(made.missed)} points not passed"


async def cut_connections(bench: Bench) -> str:
    """Every connection to PostgreSQL is ended, at random moments."""
    async with bench.open("postgresql", orders=100) as made:

        async def cut() -> None:
            await cuts.cut_connections(bench.postgres, made.url)

        await cuts.cut_again_and_again(made, cut, cuts=30, open_orders=2, seconds=1.0)
        return _counted(made)


async def stopped_database(bench: Bench) -> str:
    """PostgreSQL is killed, and started again after 3 s."""
    async with bench.open("postgresql", orders=40) as made:
        await cuts.cut_again_and_again(
            made, lambda: cuts.stop_for_a_while(bench.postgres), cuts=10, open_orders=2, seconds=2.0
        )
        return _counted(made)


async def frozen(bench: Bench) -> str:
    """A server stands still until the other one has its runs, and wakes up then."""
    async with bench.open("postgresql", orders=100, token_seconds=0.05) as made:
        seconds = await cuts.freeze_in_turn(made, times=15, open_orders=4, chance=random.Random())
        return f"{_counted(made)}; taken over: {_times(seconds)}"


async def taken_over(bench: Bench) -> str:
    """A server is killed, and its runs are taken over by the other one."""
    async with bench.open("postgresql", orders=100, token_seconds=0.05) as made:
        seconds = await cuts.kill_in_turn(made, times=15, open_orders=4, chance=random.Random())
        return f"{_counted(made)}; taken over: {_times(seconds)}"


async def failing_provider(bench: Bench) -> str:
    """Stripe answers 500 although it has done what was asked, at each of its requests."""
    async with bench.open("sqlite", orders=20, invoicing="stripe", start=True) as made:
        failed = await faults.fail_each_request(made, how="500", when="after")
        return f"{failed} requests failed in {len(made.customers)} orders, each invoiced and paid once"


async def races_of_approvals(bench: Bench) -> str:
    """Two approvals at once, in one process."""
    async with bench.office() as office:
        await two_approvals(office, RACES)
    return f"{RACES} races, {RACES} executions, {RACES} times 409"


async def races_with_cancel(bench: Bench) -> str:
    """An approval against a cancellation, in one process."""
    async with bench.office() as office:
        seen = await approve_against_cancel(office, RACES)
    return ", ".join(f"{status} with {executed} executions: {times}" for (status, executed), times in seen.items())


async def races_over_http(bench: Bench) -> str:
    """The same at two servers."""
    async with bench.open("postgresql", orders=80, start=True) as made:
        both = [
            await race_over_http(made, race, times=36) for race in ("approve against approve", "approve against cancel")
        ]
        return "; ".join(str(dict(outcome.counts)) for outcome in both)


async def leaving_readers(bench: Bench) -> str:
    """A reader leaves after every event and comes back to the other server."""
    async with bench.open("postgresql", orders=READERS, start=True) as made:
        events = 0
        for _ in range(READERS):
            run_id = await send(made.replicas[0], made.documents.pop())
            body, _done = await asyncio.gather(read_one_by_one(made, run_id), approve_all(made.replicas[1], run_id))
            assert {body} == {await whole(replica, run_id) for replica in made.replicas}
            events += body.count(b"\nevent: ")
        return f"{events} events of {READERS} runs, each read by a connection of its own, the same bytes"


async def decisions(bench: Bench) -> str:
    """From sending a decision to reading the approved call's `tool.call`."""
    said: list[str] = []
    for database, elsewhere in (("sqlite", False), ("postgresql", False), ("postgresql", True)):
        async with bench.open(database, orders=DECISIONS, start=True) as made:
            seconds = await approval_seconds(made, times=DECISIONS, elsewhere=elsewhere)
            said.append(f"{database}{', at the other server' if elsewhere else ''}: {_times(seconds, unit='ms')}")
    return "; ".join(said)


def _proofs() -> dict[str, Callable[[Bench], Awaitable[str]]]:
    proofs: dict[str, Callable[[Bench], Awaitable[str]]] = {}
    for database in ("sqlite", "postgresql"):
        for invoicing in ("ledger", "stripe"):
            for kill in (random_kills, named_kills):
                name = f"{kill.__name__}-{database}-{invoicing}"
                proofs[name] = lambda bench, kill=kill, database=database, invoicing=invoicing: kill(
                    bench, database, invoicing
                )
    others = (
        cut_connections,
        stopped_database,
        frozen,
        taken_over,
        failing_provider,
        races_of_approvals,
        races_with_cancel,
        races_over_http,
        leaving_readers,
        decisions,
    )
    return proofs | {proof.__name__: proof for proof in others}


async def main(names: Sequence[str]) -> int:
    """Run these proofs, or all. How many failed."""
    proofs, failed = _proofs(), 0
    if unknown := sorted(set(names) - set(proofs)):
        raise SystemExit(f"No proof {unknown[0]!r}. There are: {', '.join(proofs)}")
    postgres = PostgresServer(Path(tempfile.mkdtemp(prefix="pg")), synchronous_commit="on")
    try:
        async with Nursery() as nursery:
            for name in names or proofs:
                began = time.monotonic()
                try:
                    said = await proofs[name](Bench(nursery, postgres))
                except Exception:  # noqa: BLE001  the others are still worth knowing
                    said, failed = f"FAILED\n{traceback.format_exc()}", failed + 1
                print(f"{name}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
    finally:
        postgres.close()
    return failed


if __name__ == "__main__":
    sys.exit(min(asyncio.run(main(sys.argv[1:])), 1))
