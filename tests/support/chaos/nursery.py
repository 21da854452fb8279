"""Where servers are born quickly: a process that has imported everything, and forks.

An import takes seconds, and a server that is killed a hundred times is started a hundred times. What is born is a real
process of its own, with its own environment, folder and log, running the command line. `python -m
tests.support.chaos.nursery` reads a birth a line (JSON: `env`, `cwd`, `log`, `argv`) and writes `born PID` and, later,
`died PID STATUS`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.server_process import ROOT, environment


@dataclass
class Born:
    """A process of the nursery. `ended` holds its exit code, negative for a signal."""

    pid: int
    ended: asyncio.Future[int]


@dataclass
class Nursery:
    """The parent's side."""

    _process: Process | None = None
    _reader: asyncio.Task[None] | None = None
    _births: asyncio.Queue[int] = field(default_factory=asyncio.Queue[int])
    _children: dict[int, Born] = field(default_factory=dict[int, Born])

    async def __aenter__(self) -> Self:
        command = (sys.executable, "-m", "tests.support.chaos.nursery")
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment({}), stdin=PIPE, stdout=PIPE
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def bear(self, *argv: str, settings: Mapping[str, str], cwd: Path, log: Path) -> Born:
        """Start a command line."""
        assert self._process is not None
        assert self._process.stdin is not None
        birth = {"env": environment(settings), "cwd": str(cwd), "log": str(log), "argv": argv}
        self._process.stdin.write(json.dumps(birth).encode() + b"\n")
        return self._children[await self._births.get()]

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            match line.decode().split():
                case ["born", pid]:
                    self._children[int(pid)] = Born(int(pid), asyncio.get_running_loop().create_future())
                    self._births.put_nowait(int(pid))
                case ["died", pid, status]:
                    self._children.pop(int(pid)).ended.set_result(os.waitstatus_to_exitcode(int(status)))
                case _:
                    raise AssertionError(line)


def _import_everything() -> None:
    from importlib import import_module

    from agent.durable.dbos import DbosEngine
    from tools.registry import catalog

    for name in ("agent.graph", "agent.service", "api.app", "api.cli.serving", "prisma.client", "tools.settings"):
        import_module(name)
    DbosEngine("file:none.db").load()
    catalog()


def _serve_births() -> None:
    """Fork for every line until the input ends. One thread only, and no loop: forking is safe."""
    waiting, children = b"", set[int]()
    while True:
        ready, _, _ = select.select([0], [], [], 0.005 if children else None)
        if ready:
            data = os.read(0, 65536)
            if not data:
                break
            *births, waiting = (waiting + data).split(b"\n")
            for birth in births:
                pid = os.fork()
                if pid == 0:
                    _live(json.loads(birth))
                children.add(pid)
                os.write(1, f"born {pid}\n".encode())
        for pid in list(children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                children.discard(pid)
                os.write(1, f"died {pid} {status}\n".encode())
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _live(birth: dict[str, Any]) -> None:
    """In the child: become the command line; never returns."""
    code = 1
    try:
        null, log = os.open(os.devnull, os.O_RDWR), os.open(birth["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for target, source in ((0, null), (1, log), (2, log)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(birth["env"])
        os.chdir(birth["cwd"])
        random.seed()
        sys.argv = ["deskclerk", *birth["argv"]]
        from tests.support.deadly_server import run

        run()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001  nothing of a child may reach the parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _import_everything()
    _serve_births()
