"""SIGTERM and a real server: nothing new begins, streams end, work goes on elsewhere; a second one ends it at once."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.service

SLOWLY = "one two three four five six seven eight nine"
SCRIPT = {
    "native_tools": True,
    "answers": [
        {"when": "forever", "text": "tick " * 600, "delay_seconds": 0.1, "always": True},
        {"when": "slowly", "text": SLOWLY, "delay_seconds": 0.3, "always": True},
        {"text": "Done.", "always": True},
    ],
}


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> dict[str, str]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    return {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": database_url}


async def begin(http: httpx.AsyncClient, text: str) -> str:
    thread = (await http.post("/v1/threads")).json()["id"]
    answer = await http.post(f"/v1/threads/{thread}/runs", json={"input": text, "background": True})
    return answer.headers["location"]


async def read(http: httpx.AsyncClient, run: str, *, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
    """The run's events until the stream ends properly: one that is cut off raises."""
    body = (await http.get(f"{run}/events", params={"after": after})).text
    frames = [frame.split("\n") for frame in body.split("\n\n") if frame.startswith("id:")]
    return [(int(at[4:]), kind[7:], json.loads(data[6:])) for at, kind, data in frames]


async def test_while_it_stops_it_answers_but_begins_nothing_and_what_is_done_in_time_ends(
    settings: dict[str, str], tmp_path: Path
):
    with run_server({**settings, "DESKCLERK_SHUTDOWN_SECONDS": "30"}, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            run = await begin(http, "slowly")
            reading = asyncio.create_task(read(http, run))
            await asyncio.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            async with httpx.AsyncClient(base_url=server.url) as other:  # a connection of its own
                refused = [
                    await other.post("/v1/threads/any/runs", json={"input": "hello"}),
                    await other.get("/readyz"),
                ]
                alive = await other.get("/healthz")
            events = await reading
        code = await asyncio.to_thread(server.process.wait, 30)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(503, "not_ready")] * 2
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert {answer.json()["detail"] for answer in refused} == {"The server is stopping."}
    assert alive.status_code == 200
    assert events[-1][1:] == ("run.finished", {**events[-1][2], "status": "succeeded"})
    assert code == -signal.SIGTERM, server.log


async def test_what_is_not_done_in_time_goes_on_in_another_server_that_runs_already(
    settings: dict[str, str], tmp_path: Path
):
    settings["DESKCLERK_SHUTDOWN_SECONDS"] = "0.2"
    with run_server(settings, folder=tmp_path) as first, run_server(settings, folder=tmp_path) as second:
        async with (
            httpx.AsyncClient(base_url=first.url, timeout=60) as http,
            httpx.AsyncClient(base_url=second.url, timeout=60) as other,
        ):
            run = await begin(http, "slowly")
            reading = asyncio.create_task(read(http, run))
            await asyncio.sleep(0.7)
            assert await asyncio.to_thread(first.stop) == -signal.SIGTERM
            before = await reading
            assert [kind for _, kind, _ in before][:2] == ["run.started", "token"]
            assert "run.finished" not in [kind for _, kind, _ in before]
            after = await read(other, run, after=before[-1][0])
    assert after[0][1] == "run.resumed"
    assert [data["text"] for _, kind, data in after if kind == "message"] == [SLOWLY]
    assert after[-1][2]["status"] == "succeeded"


async def test_a_second_signal_ends_it_at_once_and_its_runs_go_on_after_the_next_start(
    settings: dict[str, str], tmp_path: Path
):
    with run_server({**settings, "DESKCLERK_SHUTDOWN_SECONDS": "60"}, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            run = await begin(http, "slowly")
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert await asyncio.to_thread(server.process.wait, 30) == -signal.SIGTERM
            assert time.monotonic() - began < 5
    with run_server(settings, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            events = await read(http, run)
            assert events[-1][2]["status"] == "succeeded"
            assert (await http.get(run)).json()["answer"] == SLOWLY


async def test_it_can_be_stopped_while_it_still_loads(settings: dict[str, str], tmp_path: Path):
    settings["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"
    with run_server(settings, folder=tmp_path, ready=False) as server:
        assert _says(server, "not ready")
        assert await asyncio.to_thread(server.stop) == -signal.SIGTERM


def _says(server: Server, words: str) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if words in server.log:
            return True
        time.sleep(0.05)
    return False
