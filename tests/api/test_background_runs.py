"""`"background": true` over HTTP on a real server: 202 at once, a run to look at, and its end told by webhook."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.api.test_served_runs import new_thread
from tests.support.server_process import run_server
from tests.support.webhook_receiver import SECRET, Receiver

pytestmark = pytest.mark.service


async def test_a_background_run_is_answered_at_once_and_told_of_when_it_rests(
    company_url: str, script: Path, tmp_path: Path
):
    async with Receiver() as receiver, AsyncExitStack() as stack:
        settings = {
            "DESKCLERK_LLM": f"scripted:{script}",
            "DATABASE_URL": company_url,
            "DESKCLERK_WEBHOOK_URL": f"{receiver.url}/hook",
            "DESKCLERK_WEBHOOK_SECRET": SECRET,
        }
        running = run_server(settings, folder=tmp_path)
        server = await asyncio.to_thread(running.__enter__)
        stack.push(running)
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            thread = await new_thread(http)
            started = time.perf_counter()
            answer = await http.post(f"/v1/threads/{thread}/runs", json={"input": "slowly on", "background": True})
            took = time.perf_counter() - started
            assert (answer.status_code, answer.json()["status"]) == (202, "running")
            run = (await http.get(answer.headers["location"])).json()
            assert (run["id"], run["thread_id"], run["status"]) == (answer.json()["id"], thread, "running")
            await http.get(f"{answer.headers['location']}/events")
            ended = (await http.get(answer.headers["location"])).json()
            assert (ended["status"], ended["answer"]) == ("succeeded", "one two three four five six seven")
            assert took < 2.1  # what the answer itself takes
            waits = await http.post(
                f"/v1/threads/{await new_thread(http)}/runs",
                json={"input": "Please pay INV-2026-0009 now.", "background": True},
            )
            await http.get(f"{waits.headers['location']}/events")
            await receiver.until(lambda: len(receiver.attempts) == 2)
    assert {(hook["type"], hook["data"]["id"]) for _, hook in receiver.attempts} == {
        ("run.succeeded", run["id"]),
        ("run.waiting", waits.json()["id"]),
    }
