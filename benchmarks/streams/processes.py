"""The processes of one run: a model server, and over it deskclerk or one of its peers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
LISTENING = r"(?:listening|running) on http://127\.0\.0\.1:(\d+)"
MODEL = "qwen3:8b"


@dataclass(frozen=True, slots=True)
class Process:
    """A server under measurement."""

    name: str
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    def memory_bytes(self) -> int:
        """Resident set size."""
        return self.process.memory_info().rss


@contextmanager
def model_server(*, tokens: int, interval_seconds: float) -> Generator[int]:
    """The port of a server that speaks Ollama's protocol and sends its tokens on a schedule."""
    options = ["--model", MODEL, "--tokens", str(tokens), "--delay-ms", str(interval_seconds * 1000)]
    with _running(["-m", "tests.support.ollama_server", *options], {}) as (_, log):
        yield _port(log, r"^(\d+)\n")


@contextmanager
def deskclerk(
    model_port: int, *, database_url: str | None = None, settings: Mapping[str, str] | None = None
) -> Generator[Process]:
    """`deskclerk serve`, ready, on a fresh SQLite database or the given one."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "DESKCLERK_LLM": f"ollama:{MODEL}",
            "OLLAMA_HOST": f"http://127.0.0.1:{model_port}",
            "DATABASE_URL": database_url or f"file:{folder}/bench.db",
            **(settings or {}),
        }
        arguments = ["-c", "from api.cli import main; main()", "serve", "--port", "0"]
        with _running(arguments, environment) as (pid, log):
            port = _port(log, LISTENING)
            _wait_until_ready(port)
            yield Process("deskclerk", port, psutil.Process(pid))


@contextmanager
def raw_relay(model_port: int) -> Generator[Process]:
    """The bare ASGI relay."""
    with _peer("raw ASGI relay", "benchmarks.streams.raw_relay", model_port) as process:
        yield process


@contextmanager
def stock(model_port: int) -> Generator[Process]:
    """FastAPI, LangGraph's ready agent and ChatOllama."""
    with _peer("stock", "benchmarks.streams.stock", model_port) as process:
        yield process


@contextmanager
def _peer(name: str, module: str, model_port: int) -> Generator[Process]:
    with _running(["-m", module], {"OLLAMA_HOST": f"http://127.0.0.1:{model_port}"}) as (pid, log):
        yield Process(name, _port(log, LISTENING), psutil.Process(pid))


@contextmanager
def _running(arguments: list[str], settings: Mapping[str, str]) -> Generator[tuple[int, Path]]:
    """A process's id and the file it writes to. A pipe that nobody empties would stop it one day."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **settings}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT
            )
        try:
            yield process.pid, log
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(log: Path, pattern: str) -> int:
    """The port that a process said it listens on."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if found := re.search(pattern, log.read_text()):
            return int(found.group(1))
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen:\n{log.read_text()}")


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("deskclerk did not become ready")
