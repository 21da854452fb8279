"""A desk on a server: its HTTP interface, read with httpx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from agent.answers import parse_events, problem_of
from agent.records import StoredEvent
from api.cli.desk import Decision, read_file
from api.cli.exits import UNAVAILABLE, USAGE, Stop
from api.settings import ClientSettings, is_loopback

CONNECT_TIMEOUT = 10.0  # seconds
CONFLICT = 409
SILENCE = 60.0  # seconds without even a heartbeat: the server is gone


class RemoteDesk:
    """A running `deskclerk serve`. A stream that breaks is taken up again where it broke."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def begin_thread(self) -> str:
        return str((await self._json("POST", "/v1/threads", json={}))["id"])

    async def upload(self, path: Path) -> str:
        content = read_file(path)
        return str((await self._json("POST", "/v1/documents", files={"file": (path.name, content)}))["id"])

    async def run(self, thread_id: str, text: str, documents: Sequence[str]) -> AsyncIterator[StoredEvent]:
        body = {"input": text, "documents": list(documents), "background": True}
        started = await self._json("POST", f"/v1/threads/{thread_id}/runs", json=body)
        async for event in self.resume(str(started["id"]), 0):
            yield event

    async def resume(self, run_id: str, after: int) -> AsyncIterator[StoredEvent]:
        finished = False
        while not finished:
            before = after
            try:
                async with self._stream(f"/v1/runs/{run_id}/events", after) as response:
                    async for event in parse_events(response.aiter_bytes()):
                        after = event.sequence
                        finished = event.type == "run.finished"
                        yield event
            except httpx.TransportError:
                if after == before:
                    raise Stop(f"The connection to {self._client.base_url} broke.", UNAVAILABLE) from None
            else:
                return

    async def decide(self, approval_id: str, *, decision: Decision, digest: str, reason: str | None) -> None:
        await self._json(
            "POST", f"/v1/approvals/{approval_id}", json={"decision": decision, "digest": digest, "reason": reason}
        )

    async def cancel(self, run_id: str) -> None:
        response = await self._client.post(f"/v1/runs/{run_id}/cancel")
        if response.status_code != CONFLICT:  # it ended by itself meanwhile
            await _raise_problem(response)

    async def _json(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        return await request_json(self._client, method, path, **kwargs)

    @asynccontextmanager
    async def _stream(self, path: str, after: int) -> AsyncGenerator[httpx.Response]:
        async with self._client.stream("GET", path, headers={"Last-Event-ID": str(after)}) as response:
            await _raise_problem(response)
            yield response


def connect(url: str) -> httpx.AsyncClient:
    """A client for the server at `url`, like `http://127.0.0.1:8000`, with the key of DESKCLERK_API_KEY if it is set.

    Raises:
        Stop: The key would cross a network in the clear.
    """
    key = ClientSettings().api_key
    address = httpx.URL(url.rstrip("/"))
    if key is not None and address.scheme != "https" and not is_loopback(address.host):
        raise Stop("DESKCLERK_API_KEY is not sent over http:// to another machine; use https://.", USAGE)
    headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value().strip()}"}
    timeout = httpx.Timeout(SILENCE, connect=CONNECT_TIMEOUT)
    return httpx.AsyncClient(base_url=address, headers=headers, timeout=timeout)


async def request_json(client: httpx.AsyncClient, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
    """The server's answer; empty when it has no body.

    Raises:
        Stop: It does not answer, or answers with a problem.
    """
    try:
        response = await client.request(method, path, **kwargs)
    except httpx.TransportError as error:
        raise Stop(f"No answer from {client.base_url}: {error}", UNAVAILABLE) from None
    await _raise_problem(response)
    return response.json() if response.content else {}


async def _raise_problem(response: httpx.Response) -> None:
    if (problem := await problem_of(response)) is not None:
        raise Stop(problem, UNAVAILABLE)
