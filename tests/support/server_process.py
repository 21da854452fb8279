"""`deskclerk serve` as a process of its own, on a port that the system chose."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from api.cli import main; main()"]
START_TIMEOUT = 120.0  # seconds; a machine that runs other tests at once is slow
STOP_TIMEOUT = 60.0  # seconds


@dataclass
class Server:
    """A running server. `log` is what it has written so far."""

    process: subprocess.Popen[bytes]
    url: str = ""
    lines: list[str] = field(default_factory=list[str])

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of deskclerk, and then `settings`."""
    foreign = re.compile(r"DESKCLERK_|DATABASE_URL|OPENAI_|OLLAMA_|STRIPE_")
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name) or name == "DESKCLERK_CACHE"}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


@contextmanager
def run_server(settings: Mapping[str, str], *, folder: Path, ready: bool = True) -> Generator[Server]:
    """Start a server in `folder`, wait until it listens (and is ready), and end it afterwards."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], env=environment(settings), cwd=folder, stderr=subprocess.PIPE
    )
    server = Server(process)
    reader = threading.Thread(target=_read_log, args=(server,), daemon=True)
    reader.start()
    try:
        server.url = _wait(lambda: _address(server), server, "did not listen")
        if ready:
            _wait(lambda: httpx.get(f"{server.url}/readyz").status_code == 200, server, "did not become ready")
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join()
        if process.stderr is not None:
            process.stderr.close()


def _read_log(server: Server) -> None:
    assert server.process.stderr is not None
    for line in server.process.stderr:
        server.lines.append(line.decode(errors="replace"))


def _address(server: Server) -> str:
    found = re.search(r"listening on (http://\S+?),", server.log)
    return found.group(1) if found else ""


def _wait(probe: Callable[[], T], server: Server, complaint: str) -> T:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended with {server.process.returncode}:\n{server.log}")
        if answer := probe():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"the server {complaint} within {START_TIMEOUT} s:\n{server.log}")
