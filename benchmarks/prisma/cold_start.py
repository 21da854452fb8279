"""How long a new process needs until its first row, with the compiled module already in the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# Prints milliseconds of CPU and of the clock for each part. The parts are apart, because an application imports anyhow.
_PROGRAM = """
import asyncio, sys, time
marks = []
def mark():
    marks.append((time.process_time(), time.perf_counter()))
mark()
from prisma import Prisma
import prisma.engine, prisma.drivers.sqlite, prisma.client.models
mark()
async def main():
    db = Prisma(sys.argv[1])
    mark()
    await db.connect()
    mark()
    await db.customer.find_unique(where={"id": "c1"})
    mark()
    await db.disconnect()
asyncio.run(main())
for before, after in ((0, 1), (2, 3), (3, 4)):
    print(*[(end - start) * 1e3 for start, end in zip(marks[before], marks[after])])
"""


class Part(NamedTuple):
    """The least over the repetitions: noise only adds."""

    name: str
    cpu: float  # milliseconds of all threads
    clock: float  # milliseconds


def cold_start(url: str, *, repetitions: int = 7) -> list[Part]:
    """Imports, `connect()` (compiler from the cache, schema parsed, pool opened), and the first query."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *filter(None, sys.path)])}
    samples: list[list[tuple[float, ...]]] = []
    for _ in range(repetitions + 1):  # the first one fills the caches
        command = [sys.executable, "-c", _PROGRAM, url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        samples.append([tuple(map(float, line.split())) for line in done.stdout.splitlines()])
    parts = zip(*samples[1:], strict=True)
    names = ("imports", "connect", "first query")
    return [
        Part(name, min(cpu for cpu, _ in part), min(clock for _, clock in part))
        for name, part in zip(names, parts, strict=True)
    ]
