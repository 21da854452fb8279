"""`deskclerk` as a person or a script runs it: real processes, a model server that can do the main job."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prisma import Prisma
from tests.support.clerk_model import clerk_server
from tests.support.ollama_server import OllamaServer, Reply
from tests.support.server_process import COMMAND, Server, environment

pytestmark = pytest.mark.service

TIMEOUT = 240.0  # seconds for one command on a busy machine


@contextmanager
def serving(server: OllamaServer) -> Generator[str]:
    """The address of a model server that runs in a thread, so that commands can be waited for."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    try:
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def clerk() -> Generator[dict[str, str]]:
    """Settings that name a model which does the main job."""
    with serving(clerk_server()) as url:
        yield {"DESKCLERK_LLM": "ollama:qwen3:8b", "OLLAMA_HOST": url}


def deskclerk(
    *arguments: str, settings: Mapping[str, str], folder: Path, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with `text` as its standard input."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(settings),
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


async def counts(url: str) -> dict[str, int]:
    """What the database holds of what money was moved for."""
    async with Prisma(url) as db:
        payments = await db.payment.find_many()
        runs = await db.run.find_many(order={"created_at": "asc"})
        return {
            "payments": len(payments),
            **{status: sum(run.status == status for run in runs) for status in ("succeeded", "waiting", "cancelled")},
        }


# ---------------------------------------------------------------- without a model


def test_help_loads_nothing_that_is_slow():
    code = "import sys, api.cli.commands; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment({}), capture_output=True, text=True, timeout=TIMEOUT, check=True
    )
    slow = {"fastapi", "starlette", "langgraph", "pydantic", "rich", "uvicorn", "wasmtime", "httpx", "agent", "prisma"}
    assert slow & set(re.findall(r"'(\w+)'", done.stdout)) == set()


def test_a_server_that_everybody_could_reach_is_not_started_without_sign_in(tmp_path: Path):
    off = {"DESKCLERK_AUTH": "off"}
    done = deskclerk("serve", "--host", "0.0.0.0", "--port", "0", settings=off, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("deskclerk: DESKCLERK_AUTH=off lets whoever reaches the server do everything")
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path, server: Server):
    port = server.url.rsplit(":", 1)[-1]
    done = deskclerk("serve", "--port", port, settings={}, folder=tmp_path)
    assert (done.returncode, done.stderr.strip()) == (
        3,
        f"deskclerk: Cannot listen on 127.0.0.1 port {port}: Address already in use",
    )


def test_a_wrong_setting_is_named_without_its_value(tmp_path: Path):
    done = deskclerk("serve", settings={"DESKCLERK_PORT": "sk-secret"}, folder=tmp_path)
    assert done.returncode == 3
    assert "port" in done.stderr
    assert "sk-secret" not in done.stderr


def test_a_database_is_migrated_once_and_seeded_once(tmp_path: Path):
    settings = {"DATABASE_URL": "file:./books.db"}

    def db(command: str) -> subprocess.CompletedProcess[str]:
        return deskclerk("db", command, settings=settings, folder=tmp_path)

    before = db("status")
    assert (before.returncode, "pending" in before.stdout) == (1, True)
    assert "applied" in db("migrate").stdout
    assert db("migrate").stdout == "up to date\n"
    assert db("status").returncode == 0
    assert (db("seed").returncode, db("seed").returncode) == (0, 0)
    assert (tmp_path / "books.db").exists()


def test_a_model_that_the_server_lacks_is_said_with_what_to_do(tmp_path: Path):
    with serving(OllamaServer(models={})) as url:
        settings = {"DESKCLERK_LLM": "ollama:qwen3:8b", "OLLAMA_HOST": url}
        done = deskclerk("chat", "hello", settings=settings, folder=tmp_path)
    assert done.returncode == 3
    assert "ollama pull qwen3:8b" in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- the demo


def test_the_demo_ends_with_one_issued_invoice_and_one_payment_each_time(tmp_path: Path, clerk: dict[str, str]):
    for _ in range(2):
        done = deskclerk("demo", settings=clerk, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(
            r"ok: .* invoice INV-\d{4}-\d{4} is issued and paid, payment pay_\w+, 1038\.87 EUR", done.stdout
        )
        assert "approve automatically, because nobody is at the terminal" in done.stdout
        assert "\x1b" not in done.stdout
        invoices, payments = asyncio.run(_books(f"file:{tmp_path}/.deskclerk/demo.db"))
        assert (invoices, payments) == (["paid"], ["succeeded"])


async def _books(url: str) -> tuple[list[str], list[str]]:
    """Status of each invoice made from a document, and of each payment of those."""
    async with Prisma(url) as db:
        invoices = await db.invoice.find_many(
            where={"order": {"is": {"document_id": {"not": None}}}}, include={"payments": True}
        )
    return [str(i.status) for i in invoices], [str(p.status) for i in invoices for p in i.payments]


def test_the_demo_fails_when_the_model_only_says_that_it_did_it(tmp_path: Path):
    with serving(OllamaServer(default=Reply(pieces=["The invoice is issued ", "and paid."]))) as url:
        settings = {"DESKCLERK_LLM": "ollama:qwen3:8b", "OLLAMA_HOST": url}
        done = deskclerk("demo", "--yes", settings=settings, folder=tmp_path)
    assert done.returncode == 1
    assert "The database does not hold what it should: 0 issued invoices and 0 payments" in done.stdout


def test_the_demo_fails_when_the_model_names_an_invoice_that_it_made_up(tmp_path: Path):
    with serving(OllamaServer(default=Reply(pieces=["Invoice INV-2026-0009 ", "is issued and paid."]))) as url:
        settings = {"DESKCLERK_LLM": "ollama:qwen3:8b", "OLLAMA_HOST": url}
        done = deskclerk("demo", "--yes", settings=settings, folder=tmp_path)
    assert done.returncode == 1
    assert "(output_refused)" in done.stdout


def test_the_demo_can_be_drawn(tmp_path: Path, clerk: dict[str, str]):
    done = deskclerk("demo", "--yes", "--svg", "out/demo.svg", settings=clerk, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    picture = (tmp_path / "out" / "demo.svg").read_text()
    assert picture.startswith("<svg")
    assert "take_payment" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "").replace("https://www.textualize.io", "")


# ---------------------------------------------------------------- chat


def test_events_as_json_are_the_stored_ones(tmp_path: Path, server: Server):
    done = deskclerk("chat", "look up ACME", "--json", "--url", server.url, settings={}, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["event"] for line in lines} >= {"run.started", "tool.call", "tool.result", "message", "run.finished"}


def test_a_request_can_come_from_a_pipe_with_a_document(tmp_path: Path, server: Server):
    (tmp_path / "note.txt").write_text("two chairs, please")
    done = deskclerk(
        "chat", "--url", server.url, "--document", "note.txt", settings={}, folder=tmp_path, text="hello\n"
    )
    assert done.returncode == 0, done.stderr
    assert "Hello, how can I help you" in done.stdout


def test_a_document_that_is_not_there_is_named(tmp_path: Path, server: Server):
    done = deskclerk("chat", "hi", "--url", server.url, "-d", "lost.pdf", settings={}, folder=tmp_path)
    assert (done.returncode, done.stderr.strip()) == (3, "deskclerk: lost.pdf: No such file or directory")


def test_a_server_that_is_not_there_is_named(tmp_path: Path):
    done = deskclerk("chat", "hi", "--url", "http://127.0.0.1:9", settings={}, folder=tmp_path)
    assert done.returncode == 3
    assert "No answer from http://127.0.0.1:9" in done.stderr


def test_with_nobody_to_ask_the_run_rests_and_says_so(tmp_path: Path, server: Server):
    done = deskclerk("chat", "pay INV-2026-0006", "--url", server.url, settings={}, folder=tmp_path)
    assert done.returncode == 4
    assert "invoice='INV-2026-0006' <- user" in done.stdout
    assert "This run waits for a decision" in done.stdout


def test_yes_approves_and_says_so(tmp_path: Path, server: Server):
    done = deskclerk("chat", "pay INV-2026-0007", "--yes", "--url", server.url, settings={}, folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "approve automatically, because of --yes" in done.stdout
    assert "take_payment succeeded" in done.stdout


# ---------------------------------------------------------------- a person at the terminal


@dataclass
class Terminal:
    """A pseudo-terminal with a command in it."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = ""

    def read_until(self, text: str) -> str:
        """What the screen has shown once `text` stood there."""
        deadline = time.monotonic() + TIMEOUT
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                assert text in self.seen, self.seen
        return self.seen

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())


@contextmanager
def terminal(*arguments: str, settings: Mapping[str, str], folder: Path) -> Generator[Terminal]:
    master, slave = pty.openpty()
    size = {"COLUMNS": "100", "LINES": "50", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment({**settings, **size}),
        cwd=folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


def test_a_person_sees_every_argument_and_may_refuse(tmp_path: Path, server: Server):
    chat = ("chat", "pay INV-2026-0008", "--url", server.url)
    with terminal(*chat, settings={}, folder=tmp_path) as screen:
        shown = screen.read_until("Approve? [y]es, [n]o:")
        assert "take_payment" in shown
        assert "INV-2026-0008" in shown
        assert "\N{LEFTWARDS ARROW} user" in shown
        screen.type("n\n")
        screen.read_until("Why not?")
        screen.type("wrong invoice\n")
        screen.read_until("rejected by you")
        assert screen.process.wait(TIMEOUT) == 0


def test_ctrl_c_cancels_the_run_on_the_server(tmp_path: Path, server: Server, company_url: str):
    before = asyncio.run(counts(company_url))["cancelled"]
    with terminal("chat", "forever", "--url", server.url, settings={}, folder=tmp_path) as screen:
        screen.read_until("tick")
        screen.process.send_signal(signal.SIGINT)
        screen.read_until("cancelled")
        assert screen.process.wait(TIMEOUT) == 130
    assert asyncio.run(counts(company_url))["cancelled"] == before + 1


def test_ctrl_c_at_the_question_cancels_the_run(tmp_path: Path, server: Server):
    with terminal("chat", "pay INV-2026-0009", "--url", server.url, settings={}, folder=tmp_path) as screen:
        screen.read_until("Approve? [y]es, [n]o:")
        screen.process.send_signal(signal.SIGINT)
        screen.read_until("Cancelled.")
        assert screen.process.wait(TIMEOUT) == 130


def test_a_conversation_goes_on_until_the_person_leaves(tmp_path: Path, server: Server):
    with terminal("chat", "--url", server.url, settings={}, folder=tmp_path) as screen:
        screen.read_until("> ")
        screen.type("hello\n")
        screen.read_until("succeeded")
        screen.type("exit\n")
        assert screen.process.wait(TIMEOUT) == 0
