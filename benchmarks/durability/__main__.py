"""`python -m benchmarks.durability`: time to the first token and requests a second, durable against not.

Both servers run side by side on databases of their own, and are asked in turns, so that the machine's noise meets both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.streams.measure import BODY, new_path, percentile
from benchmarks.streams.processes import Process, deskclerk, model_server
from benchmarks.streams.reader import Readings, read_stream

TOKENS = 32
WARM_UP = 30
AT_ONCE = 10


@dataclass(slots=True)
class Side:
    """One server's figures. Times in seconds; `rates` in requests a second, `cpu` in seconds of CPU a request."""

    name: str
    first_tokens: list[float]
    rates: list[float]
    cpu: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--requests", type=int, default=100, help="one after the other, of each server")
    parser.add_argument("--rounds", type=int, default=5, help=f"of --batch requests, {AT_ONCE} at once")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"{TOKENS} tokens a request, no tools; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    found: dict[str, list[Side]] = {}
    with model_server(tokens=TOKENS, interval_seconds=0.0) as model_port:
        for database in ("sqlite", "postgresql"):
            with _databases(database) as (with_record, without), ExitStack() as stack:
                servers = [
                    stack.enter_context(
                        deskclerk(model_port, database_url=url, settings={"DESKCLERK_DURABLE": durable})
                    )
                    for durable, url in (("on", with_record), ("off", without))
                ]
                sides = asyncio.run(_measure(servers, options.requests, options.rounds, options.batch))
            found[database] = sides
            _print(database, *sides)
    if options.json:
        options.json.write_text(json.dumps({name: [asdict(side) for side in sides] for name, sides in found.items()}))


@contextmanager
def _databases(kind: str) -> Generator[tuple[str, str]]:
    """Two empty databases of a kind."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield f"file:{folder}/durable.db", f"file:{folder}/plain.db"
            return
        from tests.support.postgres import PostgresServer

        server = PostgresServer(Path(folder))
        try:
            durable, plain = (server.url(asyncio.run(server.create_database())) for _ in range(2))
            yield durable, plain
        finally:
            server.close()


async def _measure(servers: Sequence[Process], requests: int, rounds: int, batch: int) -> list[Side]:
    sides = [Side(name, [], [], []) for name in ("durable", "not durable")]
    for server in servers:
        await asyncio.gather(*(_ask(server) for _ in range(WARM_UP)))
    for _ in range(requests):
        for server, side in zip(servers, sides, strict=True):
            side.first_tokens.append((await _ask(server)).first_token)
    for _ in range(rounds):
        for server, side in zip(servers, sides, strict=True):
            await _batch(server, side, batch)
    return sides


async def _batch(server: Process, side: Side, requests: int) -> None:
    paths = iter([new_path(server) for _ in range(requests)])
    cpu, began = server.cpu_seconds(), time.perf_counter()

    async def worker() -> None:
        for path in paths:
            await read_stream(server.port, path, BODY)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    side.rates.append(requests / (time.perf_counter() - began))
    side.cpu.append((server.cpu_seconds() - cpu) / requests)


async def _ask(server: Process) -> Readings:
    return await read_stream(server.port, await asyncio.to_thread(new_path, server), BODY)


def _print(database: str, durable: Side, plain: Side) -> None:
    print(f"\n{database:<12} TTFT p50    TTFT p90   requests/s   CPU/request")
    for side in (durable, plain):
        first = sorted(side.first_tokens)
        print(
            f"{side.name:<12} {percentile(first, 0.5) * 1e3:5.1f} ms  {percentile(first, 0.9) * 1e3:7.1f} ms "
            f"{statistics.median(side.rates):10.0f} {statistics.median(side.cpu) * 1e3:11.1f} ms"
        )
    added = [ours - theirs for ours, theirs in zip(durable.first_tokens, plain.first_tokens, strict=True)]
    ratio = statistics.median(ours / theirs for ours, theirs in zip(durable.rates, plain.rates, strict=True))
    print(f"durability adds {statistics.median(added) * 1e3:.1f} ms to the first token (median of pairs) and leaves "
          f"{ratio:.2f} of the requests a second")  # fmt: skip


if __name__ == "__main__":
    main()
