"""`python -m benchmarks.streams`: prints a table; `--json FILE` also keeps the numbers."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.streams.measure import Plan, Result, measure
from benchmarks.streams.processes import Process, deskclerk, model_server, raw_relay, stock

WARM_UP_STREAMS = 20
SERVERS: dict[str, Callable[[int], AbstractContextManager[Process]]] = {
    "raw": raw_relay,
    "stock": stock,
    "deskclerk": deskclerk,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=50, help="of each stream")
    parser.add_argument("--interval-ms", type=float, default=100.0, help="between two tokens of the model")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--spread", type=float, nargs="*", help="seconds over which streams start; 0 for all at once")
    parser.add_argument("--servers", nargs="*", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    plan = Plan(options.streams, options.tokens, options.interval_ms / 1000, spread_seconds=0.0)
    spreads = options.spread or (0.0, 1.0, plan.tokens * plan.interval_seconds)
    print(f"{plan.streams} streams of {plan.tokens} tokens, one each {plan.interval_seconds * 1000:.0f} ms; load "
          f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start")  # fmt: skip
    print(HEADER)
    results: list[Result] = []
    with model_server(tokens=plan.tokens, interval_seconds=plan.interval_seconds) as model_port:
        for start in (SERVERS[name] for name in options.servers):
            with start(model_port) as server:
                asyncio.run(measure(server, replace(plan, streams=WARM_UP_STREAMS)))
                for spread in spreads:
                    for _ in range(options.repeat):
                        results.append(asyncio.run(measure(server, replace(plan, spread_seconds=spread))))
                        print(row(results[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1))


HEADER = (
    "server           start      TTFT p50   TTFT p99  stalls  longest gap  stretch  "
    "CPU/token     steady  memory/stream\n"
    "--------------- ---------- --------- ---------- ------- ------------ -------- "
    "---------- ---------- --------------"
)


def row(result: Result) -> str:
    """One line of the table."""
    start = f"over {result.plan.spread_seconds:.0f} s" if result.plan.spread_seconds else "at once"
    per_token = result.steady_cpu_per_token
    steady = f"{'-':>10}" if per_token is None else f"{per_token * 1e6:7.0f} us"
    columns = (
        f"{result.server:<15} {start:<10}",
        f"{result.first_token_median * 1e3:6.1f} ms {result.first_token_p99 * 1e3:7.1f} ms",
        f"{result.stalls:7d} {result.longest_gap * 1e3:9.0f} ms {result.stretch:7.3f}x",
        f"{result.cpu_per_token * 1e6:7.0f} us {steady} {result.memory_per_stream / 1024:10.0f} KiB",
    )
    return " ".join(columns)


if __name__ == "__main__":
    main()
