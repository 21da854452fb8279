"""What needs a person can be found: runs by status, effects that nobody knows the outcome of. A real server."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from prisma import Prisma
from tests.api.test_served_runs import new_thread
from tests.support.server_process import COMMAND, Server, environment

pytestmark = pytest.mark.service


async def unknown_effect(url: str, run_id: str, call_id: str) -> str:
    """Put an effect into the ledger whose outcome nobody knows; its id."""
    async with Prisma(url) as db:
        row = await db.effect.create(
            data={
                "run_id": run_id,
                "call_id": call_id,
                "tool": "take_payment",
                "effect": "money",
                "arguments": {"invoice": "INV-2026-0001"},
                "arguments_digest": "0",
                "idempotency_key": f"{run_id}:{call_id}",
                "status": "needs_reconcile",
                "provider": "stripe",
            }
        )
        return row.id


async def finished_run(http: httpx.AsyncClient) -> str:
    answer = await http.post(f"/v1/threads/{await new_thread(http)}/runs", json={"input": "hello"})
    assert answer.json()["status"] == "succeeded"
    return str(answer.json()["id"])


async def test_a_background_run_is_found_by_its_status(http: httpx.AsyncClient):
    thread = await new_thread(http)
    started = await http.post(f"/v1/threads/{thread}/runs", json={"input": "slowly", "background": True})
    assert (started.status_code, started.json()["status"]) == (202, "running")
    run_id = started.json()["id"]
    running = (await http.get("/v1/runs", params={"status": "running"})).json()["data"]
    assert run_id in [run["id"] for run in running]
    await http.get(f"/v1/runs/{run_id}/events")
    [newest] = (await http.get("/v1/runs", params={"status": "succeeded", "limit": 1})).json()["data"]
    assert (newest["id"], newest["thread_id"], newest["input"]) == (run_id, thread, "slowly")
    assert "state" not in newest


async def test_runs_come_in_pages_that_leave_nothing_out(http: httpx.AsyncClient):
    made = [await finished_run(http) for _ in range(3)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while len(seen) < 3:
        page = (await http.get("/v1/runs", params={"limit": 1, **after})).json()
        seen += [run["id"] for run in page["data"]]
        after = {"after": page["next"]}
    assert seen == list(reversed(made))


async def test_an_unknown_effect_is_listed_and_settled_once(http: httpx.AsyncClient, company_url: str):
    run_id = await finished_run(http)
    effect_id = await unknown_effect(company_url, run_id, "call_a")
    [shown] = (await http.get("/v1/effects", params={"status": "needs_reconcile"})).json()["data"]
    assert (shown["id"], shown["run_id"], shown["call_id"], shown["tool"]) == (
        effect_id,
        run_id,
        "call_a",
        "take_payment",
    )
    assert (shown["arguments"], shown["provider"]) == ({"invoice": "INV-2026-0001"}, "stripe")
    address = f"/v1/effects/{effect_id}/settle"
    answers = await asyncio.gather(
        *(http.post(address, json={"outcome": outcome}) for outcome in ("executed", "not_executed") * 5)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"effect_settled"}
    assert (await http.get("/v1/effects", params={"status": "needs_reconcile"})).json()["data"] == []
    assert (await http.post("/v1/effects/none/settle", json={"outcome": "executed"})).status_code == 404


async def test_the_command_line_lists_and_settles_here_and_on_a_server(
    http: httpx.AsyncClient, server: Server, company_url: str, tmp_path: Path
):
    run_id = await finished_run(http)

    async def deskclerk(*arguments: str, url: str | None) -> tuple[int, list[dict[str, Any]], str]:
        where = [] if url is None else ["--url", url]
        done = await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, "effects", *arguments, *where],
            env=environment({"DATABASE_URL": company_url}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    for url, call_id in ((None, "call_here"), (server.url, "call_there")):
        effect_id = await unknown_effect(company_url, run_id, call_id)
        code, listed, _ = await deskclerk("list", url=url)
        assert (code, [effect["id"] for effect in listed]) == (0, [effect_id])
        code, [settled], _ = await deskclerk("settle", effect_id, "not_executed", "--note", "Looked.", url=url)
        assert (code, settled["status"], settled["error_code"]) == (0, "failed", "not_executed")
        code, _, said = await deskclerk("settle", effect_id, "executed", url=url)
        assert (code, "effect_settled" in said) == (3, True)
