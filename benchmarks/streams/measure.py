"""One measurement: many streams at once against one server, and what they and it went through."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.request import Request, urlopen

from benchmarks.streams.processes import Process
from benchmarks.streams.reader import Readings, read_stream

STALL_SECONDS = 0.25  # a gap this much longer than the schedule's is one that a reader sees
SHORTEST_STEADY = 2.0  # seconds; the system counts CPU in hundredths
BODY = json.dumps({"input": "Say something."}).encode()


@dataclass(frozen=True, slots=True)
class Plan:
    """Attributes:
    spread_seconds: Streams start evenly over this time; 0 starts all at once.
    interval_seconds: Between two tokens of the model.
    """

    streams: int
    tokens: int
    interval_seconds: float
    spread_seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """Times in seconds, memory in bytes.

    Attributes:
        first_token_median, first_token_p99: From the request to its first token, less the model's own first interval.
        stalls: Gaps longer than the schedule's by more than `STALL_SECONDS`.
        stretch: Median of how long streams took over how long the model took to send them.
        cpu_per_token: Of the server's process, what starting and ending the streams costs included.
        steady_cpu_per_token: While all of them stream; see `steady_cpu`.
        memory_per_stream: Growth of the server's resident set to its peak, shared by the streams.
    """

    server: str
    plan: Plan
    first_token_median: float
    first_token_p99: float
    longest_gap: float
    stalls: int
    stretch: float
    cpu_per_token: float
    steady_cpu_per_token: float | None
    memory_per_stream: float


class Meter:
    """Looks at a server five times a second.

    Attributes:
        growth: Bytes of its resident set at their most, above what it was at first.
        cpu: `(time.perf_counter(), seconds of CPU so far)` at each look.
    """

    def __init__(self, server: Process) -> None:
        self._server = server
        self._before = server.memory_bytes()
        self.growth = 0
        self.cpu: list[tuple[float, float]] = []
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            self.growth = max(self.growth, self._server.memory_bytes() - self._before)
            self.cpu.append((time.perf_counter(), self._server.cpu_seconds()))
            await asyncio.sleep(0.2)

    def stop(self) -> None:
        self._watching.cancel()


async def measure(server: Process, plan: Plan) -> Result:
    """Read every stream to its end.

    Raises:
        RuntimeError: One was refused or cut off.
    """
    paths = [new_path(server) for _ in range(plan.streams)]
    meter, cpu_before = Meter(server), server.cpu_seconds()
    pause = plan.spread_seconds / plan.streams
    began = time.perf_counter()

    async def one(number: int, path: str) -> Readings:
        await asyncio.sleep(began + number * pause - time.perf_counter())
        return await read_stream(server.port, path, BODY)

    readings = await asyncio.gather(*(one(number, path) for number, path in enumerate(paths)))
    meter.stop()
    return _summarise(server, plan, readings, server.cpu_seconds() - cpu_before, meter)


def new_path(server: Process) -> str:
    """Where a stream is asked for: on a new thread, where the server has threads."""
    if server.name != "deskclerk":
        return "/"
    request = Request(f"http://127.0.0.1:{server.port}/v1/threads", method="POST")
    with urlopen(request) as answer:
        return f"/v1/threads/{json.load(answer)['id']}/runs"


def steady_cpu(readings: Sequence[Readings], looks: Sequence[tuple[float, float]]) -> float | None:
    """Seconds of CPU a token while every stream streams: from the last one's second token on, until the first ends.

    None where that is shorter than two seconds.
    """
    begin, end = max(one.tokens[1] for one in readings), min(one.tokens[-1] for one in readings)
    inside = [look for look in looks if begin <= look[0] <= end]
    if not inside or inside[-1][0] - inside[0][0] < SHORTEST_STEADY:
        return None
    (begin, before), (end, after) = inside[0], inside[-1]
    tokens = sum(begin < token <= end for one in readings for token in one.tokens)
    return (after - before) / tokens


def _summarise(server: Process, plan: Plan, readings: Sequence[Readings], cpu: float, meter: Meter) -> Result:
    broken = [one.status.decode() for one in readings if one.status != b"200" or not one.ended]
    if broken:
        raise RuntimeError(f"{server.name}: {len(broken)} streams did not end well: {broken[:5]}")
    first = sorted(one.first_token - plan.interval_seconds for one in readings)
    gaps = [gap - plan.interval_seconds for one in readings for gap in one.gaps]
    schedule = plan.interval_seconds * plan.tokens
    stretches = sorted((one.ended - one.asked) / schedule for one in readings)
    return Result(
        server=server.name,
        plan=plan,
        first_token_median=percentile(first, 0.5),
        first_token_p99=percentile(first, 0.99),
        longest_gap=max(gaps) + plan.interval_seconds,
        stalls=sum(gap > STALL_SECONDS for gap in gaps),
        stretch=percentile(stretches, 0.5),
        cpu_per_token=cpu / (plan.streams * plan.tokens),
        steady_cpu_per_token=steady_cpu(readings, meter.cpu),
        memory_per_stream=meter.growth / plan.streams,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of values in ascending order."""
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
