"""`python -m benchmarks.load [--users 300] [--seconds 300]`: a real server on PostgreSQL, a model that is punctual."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from agent.principal import SCOPES
from api.auth.secret_tokens import API_KEY, digest, new_secret
from benchmarks.load.drive import Tally, drive
from benchmarks.streams.measure import percentile
from benchmarks.streams.processes import Process, deskclerk, model_server
from prisma import Prisma
from prisma.migrate.apply import migrate
from tests.support.people import person
from tests.support.postgres import PostgresServer
from tools.context import utc_now

WARM_UP = 15.0  # seconds of the same load before memory is looked at


@dataclass(frozen=True, slots=True)
class Result:
    """Memory in MiB, times in seconds. `shares`: least and most runs of a user over the mean."""

    users: int
    seconds: float
    runs: int
    events: int
    refused: dict[str, int]
    errors: dict[str, int]
    gaps: int
    least_share: float
    most_share: float
    beyond_a_fifth: int
    first_event_median: float
    first_event_p99: float
    memory_at_start: float
    memory_at_end: float
    memory_most: float
    cpu_seconds: float


async def make_users(url: str, count: int) -> list[str]:
    """A migrated database with so many clerks; the key of each."""
    await migrate(url)
    keys: list[str] = []
    async with Prisma(url) as db:
        for number in range(count):
            who = await person(db, f"user-{number}", "clerk")
            keys.append(new_secret(API_KEY))
            await db.apikey.create(
                data={
                    "user_id": str(who.user_id),
                    "name": "load",
                    "hint": "dck_",
                    "hash": digest(keys[-1]),
                    "scopes": list(SCOPES),
                    "expires_at": utc_now() + timedelta(days=1),
                }
            )
    return keys


async def measure(server: Process, keys: list[str], *, flooders: int, flood: int, seconds: float) -> Result:
    """One run of the load, counted after a warm-up."""
    url, tally = f"http://127.0.0.1:{server.port}", Tally()
    driving = asyncio.create_task(
        drive(url, keys, flooding=keys[:flooders], flood=flood, seconds=WARM_UP + seconds, tally=tally)
    )
    await asyncio.sleep(WARM_UP)
    tally.forget()
    most = before = server.memory_bytes()
    cpu = server.cpu_seconds()
    while not driving.done():
        await asyncio.wait([driving], timeout=1.0)
        most = max(most, server.memory_bytes())
    await driving
    shares = [tally.runs[key] for key in keys]
    mean, waits = sum(shares) / len(shares), sorted(tally.waits)
    return Result(
        users=len(keys),
        seconds=seconds,
        runs=sum(shares),
        events=tally.events,
        refused=dict(tally.refused),
        errors=dict(tally.errors),
        gaps=tally.gaps,
        least_share=min(shares) / mean if mean else 0.0,
        most_share=max(shares) / mean if mean else 0.0,
        beyond_a_fifth=sum(abs(share - mean) > 0.2 * mean for share in shares),
        first_event_median=percentile(waits, 0.5) if waits else 0.0,
        first_event_p99=percentile(waits, 0.99) if waits else 0.0,
        memory_at_start=before / 2**20,
        memory_at_end=server.memory_bytes() / 2**20,
        memory_most=most / 2**20,
        cpu_seconds=server.cpu_seconds() - cpu,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--flooders", type=int, default=10, help="users among them who ask many things at a time")
    parser.add_argument("--flood", type=int, default=20, help="things that a flooder asks at a time")
    parser.add_argument("--running", type=int, default=8, help="runs at work at once: so few that all wait")
    parser.add_argument("--tokens", type=int, default=20, help="of each answer")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = {
        "DESKCLERK_AUTH": "on",
        "DESKCLERK_MAX_RUNNING": str(options.running),
        "DESKCLERK_LIMITS_TOKENS_USER": "",  # the model's counts are made up
        "DESKCLERK_LIMITS_TOKENS_KEY": "",
    }
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, model_server(tokens=options.tokens, interval_seconds=0.01) as model:
        postgres = PostgresServer(Path(folder) / "postgres")
        try:
            url = postgres.url(asyncio.run(postgres.create_database()))
            keys = asyncio.run(make_users(url, options.users))
            with deskclerk(model, database_url=url, settings=settings) as server:
                began = time.monotonic()
                result = asyncio.run(
                    measure(server, keys, flooders=options.flooders, flood=options.flood, seconds=options.seconds)
                )
        finally:
            postgres.close()
    print(f"load {load:.1f} on {os.cpu_count()} cores before the start; {time.monotonic() - began:.0f} s in all")
    for name, value in asdict(result).items():
        print(f"{name:<20} {value:.2f}" if isinstance(value, float) else f"{name:<20} {value}")
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1))


if __name__ == "__main__":
    main()
