"""`python -m benchmarks.prisma [--provider sqlite|postgresql] [--repetitions N]`"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from benchmarks.prisma.cold_start import cold_start
from benchmarks.prisma.measure import Measured, measure
from benchmarks.prisma.sides import Side
from benchmarks.prisma.with_prisma import PrismaClient, PrismaEngine, fill
from benchmarks.prisma.with_sqlalchemy import SqlAlchemyCore
from prisma.migrate import migrate
from prisma.migrate.scratch import scratch_database
from prisma.migrate.urls import PROVIDERS, Provider

COPIES = 3  # of the database: one for each side


async def copies(provider: Provider, url: str) -> list[str]:
    """The database filled, and copied for each side."""
    if provider == "postgresql":
        # Otherwise every write waits for the disk, and the ratio is that of two disks.
        await _execute(url, "ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()")
    await migrate(url)
    await fill(url)
    if provider == "sqlite":
        first = Path(url.removeprefix("file:"))
        made = [first.with_name(f"side{number}.db") for number in range(COPIES)]
        for path in made:
            shutil.copy(first, path)
        return [f"file:{path}" for path in made]
    names = [f"side{number}" for number in range(COPIES)]
    await _execute(
        url.replace("/postgres?", "/template1?"), *[f"CREATE DATABASE {one} TEMPLATE postgres" for one in names]
    )
    return [url.replace("/postgres?", f"/{name}?") for name in names]


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def compare(provider: Provider, url: str, repetitions: int) -> list[Measured]:
    theirs, ours, engine = await copies(provider, url)
    sides: list[Side] = [SqlAlchemyCore(theirs), PrismaClient(ours), PrismaEngine(engine)]
    for side in sides:
        await side.start()
    try:
        return await measure(sides[0], sides[1:], repetitions=repetitions)
    finally:
        for side in sides:
            await side.stop()


def report(provider: Provider, found: list[Measured]) -> None:
    print(f"\n{provider}: speed as a multiple of SQLAlchemy 2 Core's (median of the repetitions; least to most)\n")
    print(f"{'operation':24}{'mode':14}{'side':16}{'ratio':>7}  {'spread':16}{'per second':>10}")
    for one in found:
        spread = f"{one.spread[0]:.2f} to {one.spread[1]:.2f}"
        print(f"{one.operation:24}{one.mode:14}{one.side:16}{one.ratio:6.2f}x  {spread:16}{one.per_second:10,.0f}")
    for side in dict.fromkeys(one.side for one in found):
        for mode in dict.fromkeys(one.mode for one in found):
            ratios = [one.ratio for one in found if (one.side, one.mode) == (side, mode)]
            print(f"{'median of the four':24}{mode:14}{side:16}{statistics.median(ratios):6.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prisma", description=__doc__)
    parser.add_argument("--provider", choices=PROVIDERS, action="append")
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args()
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="pgrun"))
    for provider in options.provider or PROVIDERS:
        with ExitStack() as stack:
            url = stack.enter_context(scratch_database(provider))
            report(provider, asyncio.run(compare(provider, url, options.repetitions)))
            if provider == "sqlite":
                print("\ncold start with the compiled module in the cache (goal: connect under 50 ms)\n")
                for part in cold_start(url):
                    print(f"{part.name:14}{part.cpu:7.0f} ms of CPU {part.clock:7.0f} ms by the clock")


if __name__ == "__main__":
    main()
