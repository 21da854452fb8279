"""Readers who leave after every event, and how long a person waits for what was approved."""

from __future__ import annotations

import asyncio
import time
from itertools import cycle

import httpx

from tests.support.chaos.client import FRAME, REQUEST, Told
from tests.support.chaos.races import until_asked
from tests.support.chaos.replica import Replica
from tests.support.chaos.rounds import Trial


async def one_event(url: str, run_id: str, *, after: int) -> bytes:
    """The next frame, and then the connection is cut. Empty when there is none any more."""
    headers = {"Last-Event-ID": str(after)}
    async with (
        httpx.AsyncClient(timeout=60) as http,
        http.stream("GET", f"{url}/v1/runs/{run_id}/events", headers=headers) as answer,
    ):
        assert answer.status_code in {200, 204}
        body = b""
        async for chunk in answer.aiter_raw():
            body = (body + chunk).replace(b": still here\n\n", b"")
            if found := FRAME.match(body):
                return found[0]
    return b""


async def read_one_by_one(made: Trial, run_id: str, *, restart: bool = False, every: int = 3) -> bytes:
    """A transcript of which each event was read at the next server; with `restart` it is killed now and then."""
    servers, body, after = cycle(made.replicas), b"", 0
    for number, server in enumerate(servers):
        if restart and number % every == every - 1:
            await server.kill()
            await server.start()
        frame = await one_event(server.url, run_id, after=after)
        if not frame:
            return body
        body += frame
        told = _told(frame)
        after = told.sequence
        if told.type == "run.finished" and told.json["status"] != "waiting":
            return body
    raise AssertionError("a cycle does not end")


def _told(frame: bytes) -> Told:
    found = FRAME.fullmatch(frame)
    assert found is not None
    return Told(int(found[1]), found[2].decode(), found[3])


async def whole(server: Replica, run_id: str) -> bytes:
    """The transcript as this server tells it from the start."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        return (await http.get(f"/v1/runs/{run_id}/events")).content


async def send(server: Replica, document: str) -> str:
    """Start an order in the background; its run."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        thread = (await http.post("/v1/threads")).json()["id"]
        body = {"input": REQUEST, "documents": [document], "background": True}
        return str((await http.post(f"/v1/threads/{thread}/runs", json=body)).json()["id"])


async def approve_all(server: Replica, run_id: str) -> None:
    """As soon as the run asks."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        while not (run := (await http.get(f"/v1/runs/{run_id}")).json())["approvals"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for asked in run["approvals"]:
            body = {"decision": "approve", "digest": asked["digest"]}
            answer = await http.post(f"/v1/approvals/{asked['id']}", json=body)
            assert answer.status_code == 200, answer.text


async def approval_seconds(made: Trial, *, times: int, elsewhere: bool) -> list[float]:
    """From sending a decision to reading the call's `tool.call`, each time.

    Args:
        elsewhere: It is decided, and read, at another server than the one that worked on the run until then.
    """
    seconds: list[float] = []
    first, last = made.replicas[0], made.replicas[-1 if elsewhere else 0]
    async with (
        httpx.AsyncClient(base_url=first.url, timeout=60) as asks,
        httpx.AsyncClient(base_url=last.url, timeout=60) as http,
    ):
        for _ in range(times):
            run, asked = await until_asked(asks, made.documents.pop())
            after = (await http.get(run)).json()["last_sequence"]
            body = {"decision": "approve", "digest": asked["digest"]}
            began = time.monotonic()
            answer = await http.post(f"/v1/approvals/{asked['id']}", json=body)
            assert answer.status_code == 200, answer.text
            frame = await _first(http, f"{run}/events", after)
            seconds.append(time.monotonic() - began)
            assert b"event: tool.call" in frame, frame
            while (await http.get(run)).json()["status"] == "running":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    return seconds


async def _first(http: httpx.AsyncClient, url: str, after: int) -> bytes:
    async with http.stream("GET", url, headers={"Last-Event-ID": str(after)}) as answer:
        async for chunk in answer.aiter_raw():
            if b"event: " in chunk:
                return chunk
    return b""
