"""Schedules on real servers: two of them, one killed, and each time has one run; over HTTP and by the command line."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from prisma import Prisma
from tests.support.server_process import COMMAND, Server, environment, run_server

pytestmark = pytest.mark.service

PATIENCE = 60.0  # seconds; a machine that runs other tests at once is slow


async def deskclerk(url: str, folder: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run `deskclerk schedule ...` to its end: code, output, errors."""
    done = await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, "schedule", *arguments],
        env=environment({"DATABASE_URL": url, **settings}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


async def fired(db: Prisma, *, count: int) -> list[datetime]:
    """The times that have runs, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            rows = await db.run.find_many(where={"idempotency_key": {"startswith": "schedule:tick:"}})
            if len(rows) >= count:
                return sorted(datetime.fromisoformat((row.idempotency_key or "")[14:]) for row in rows)
            await asyncio.sleep(0.1)


async def test_each_time_has_one_run_on_two_servers_and_after_one_was_killed(
    database_url: str, script: Path, tmp_path: Path
):
    settings = {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": database_url}
    code, said, errors = await deskclerk(database_url, tmp_path, "add", "tick", "*/2 * * * * *", "hello")
    assert (code, errors) == (0, "")
    assert json.loads(said)["name"] == "tick"
    with run_server(settings, folder=tmp_path) as dying, run_server(settings, folder=tmp_path):
        async with Prisma(database_url) as db:
            await fired(db, count=3)
            dying.process.kill()
            times = await fired(db, count=len(await fired(db, count=3)) + 4)
            assert len(set(times)) == len(times)
            assert await deskclerk(database_url, tmp_path, "remove", "tick") == (0, "removed tick\n", "")
            await asyncio.sleep(10)  # servers look every 5 seconds
            stopped = await db.run.count()
            assert await db.thread.count() == stopped
            await asyncio.sleep(4)
            assert await db.run.count() == stopped


async def test_over_http_a_schedule_is_added_shown_and_removed(http: httpx.AsyncClient):
    new: dict[str, Any] = {"name": "daily", "cron": "0 8 * * *", "timezone": "Europe/Berlin", "input": "hello"}
    added = await http.post("/v1/schedules", json=new)
    assert (added.status_code, added.headers["location"]) == (201, "/v1/schedules/daily")
    shown = (await http.get("/v1/schedules/daily")).json()
    assert shown == added.json() == {**new, "documents": [], "user_id": None, "roles": ["admin"], "last": None}
    assert (await http.get("/v1/schedules")).json() == {"data": [shown], "next": None}
    again = await http.post("/v1/schedules", json=new)
    assert (again.status_code, again.json()["code"]) == (409, "schedule_exists")
    wrong = await http.post("/v1/schedules", json={**new, "name": "other", "cron": "at eight"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_schedule")
    assert (await http.delete("/v1/schedules/daily")).status_code == 204
    gone = await http.delete("/v1/schedules/daily")
    assert (gone.status_code, gone.json()["code"]) == (404, "schedule_not_found")


async def test_the_command_line_works_on_a_server_too_and_runs_a_schedule_now(
    server: Server, company_url: str, tmp_path: Path
):
    where = ("--url", server.url)
    code, _, _ = await deskclerk("file:unused.db", tmp_path, "add", "greet", "@daily", "hello", *where)
    assert code == 0
    code, listed, _ = await deskclerk("file:unused.db", tmp_path, "list", *where)
    assert (code, [json.loads(line)["name"] for line in listed.splitlines()]) == (0, ["greet"])
    code, said, _ = await deskclerk("file:unused.db", tmp_path, "run", "greet", *where)
    assert (code, "Hello, how can I help you" in said) == (0, True)
    code, _, errors = await deskclerk("file:unused.db", tmp_path, "add", "greet", "@daily", "hello", *where)
    assert (code, "schedule_exists" in errors) == (3, True)
    code, _, _ = await deskclerk("file:unused.db", tmp_path, "remove", "greet", *where)
    assert code == 0
    code, _, errors = await deskclerk(company_url, tmp_path, "run", "greet")
    assert (code, "schedule_not_found" in errors) == (3, True)
