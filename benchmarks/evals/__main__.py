"""`python -m benchmarks.evals`: CPU time a case that is neither the agent's nor a model's.

The same cases are tried twice in one process: the suite's way, from the loan of a world to the stored sample in
inspect_ai's log; and bare, the same requests to an agent that stays, over a database that nobody puts back or looks at.
The difference is the suite. inspect_ai's own share is measured by samples that do nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.llm.settings import LlmSettings
from evals.case import Case, Seed
from evals.desks.local import LocalDesk
from evals.driving import drive
from evals.identity import identity_of
from evals.proving import bare_settings
from evals.results import Sample
from evals.running.inspection import through_inspect
from evals.running.store import begin
from evals.sampler import CaseSampler
from evals.solutions import SolutionBackend, idle
from evals.suite import load
from evals.trying import attempt
from evals.worlds import Worlds


def cases(count: int) -> list[Case]:
    """Requests that an idle agent answers at once, so that the agent's own part is small and the same."""
    return [case for case in load() if case.seed == Seed() and not case.attach and len(case.say) == 1][:count]


async def cpu(work: Callable[[], Awaitable[object]], per: int) -> float:
    """Milliseconds of CPU, each of `per`."""
    began = time.process_time()
    await work()
    return (time.process_time() - began) * 1_000 / per


async def main(count: int, rounds: int) -> int:
    chosen = cases(count)
    settings, nobody = bare_settings(), SolutionBackend(())
    identity = identity_of("overhead", nobody, settings, LlmSettings())
    with tempfile.TemporaryDirectory(prefix="deskclerk-bench-") as name:
        folder = Path(name)
        async with Worlds(folder, settings, nobody, size=1, policy=None) as worlds:
            sampler = CaseSampler(
                chosen,
                identity,
                lambda case, _: attempt(case, worlds, SolutionBackend(idle(case))),
                backend=nobody,
            )

            async def bare() -> None:
                async with worlds.lend() as world:
                    for case in chosen:
                        world.backend.now = SolutionBackend(idle(case))
                        await drive(case, LocalDesk(world.agent, world.db, case.role))

            async def ours() -> None:
                stored = begin(identity, sampler.cases, folder=folder / "results")
                keeping = sampler.keeping(stored.folder)
                for case in chosen:
                    stored.add(await keeping.run(case.name, 1))
                stored.close(complete=True)

            async def whole() -> None:
                stored = begin(identity, sampler.cases, folder=folder / "results")
                keeping = sampler.keeping(stored.folder)

                async def made(case: str, epoch: int) -> Sample:
                    sample = await keeping.run(case, epoch)
                    stored.add(sample)
                    return sample

                await through(stored.path, made)
                stored.close(complete=True)

            async def nothing() -> None:
                async def made(case: str, epoch: int) -> Sample:
                    return Sample(case=case, epoch=epoch, outcome="passed")

                await through(folder / "nothing.jsonl", made)

            async def through(results: Path, make: Callable[[str, int], Awaitable[Sample]]) -> None:
                await through_inspect(
                    chosen, identity, make, epochs=1, at_once=1, results=results, logs=folder / "logs"
                )

            for work in (bare, ours, whole, nothing):  # once to warm what is made once
                await work()
            runs = [[await cpu(work, len(chosen)) for work in (bare, ours, whole, nothing)] for _ in range(rounds)]
    agent, suite, everything, inspect = (statistics.median(column) for column in zip(*runs, strict=True))
    print(f"{len(chosen)} cases, {rounds} rounds, CPU ms a case (median)")
    print(f"  the agent's own run      {agent:6.2f}")
    print(f"  our part of the suite    {suite - agent:6.2f}   world, seed, state before and after, checks, transcript")
    print(f"  inspect_ai, empty sample {inspect:6.2f}   scheduling and log")
    print(f"  the whole                {everything:6.2f}   so the suite with inspect_ai costs {everything - agent:.2f}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evals")
    parser.add_argument("--cases", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sys.exit(asyncio.run(main(options.cases, options.rounds)))
