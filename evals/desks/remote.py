"""A server by its URL, over the HTTP interface that everybody uses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from agent.answers import parse_events, problem_of
from agent.records import StoredEvent
from evals.case import Decision
from evals.desks.base import Infrastructure

CONNECT_TIMEOUT = 10.0  # seconds
SILENCE = 120.0  # seconds without even a heartbeat: the server is gone


class RemoteDesk:
    """A running `deskclerk serve`; whoever `token` belongs to asks and decides."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def me(self) -> dict[str, Any]:
        """Who we are there: at least `roles`."""
        return await self._json("GET", "/v1/me")

    async def model(self) -> str:
        """The model that the server works with."""
        listed = await self._json("GET", "/v1/models")
        return str(listed["data"][0]["id"]) if listed.get("data") else "unknown"

    async def begin_thread(self) -> str:
        return str((await self._json("POST", "/v1/threads", json={}))["id"])

    async def upload(self, name: str, content: bytes) -> str:
        return str((await self._json("POST", "/v1/documents", files={"file": (name, content)}))["id"])

    async def submit(self, thread_id: str, text: str, documents: Sequence[str]) -> str:
        body = {"input": text, "documents": list(documents), "background": True}
        return str((await self._json("POST", f"/v1/threads/{thread_id}/runs", json=body))["id"])

    async def events(self, run_id: str, *, after: int) -> AsyncGenerator[StoredEvent]:
        headers = {"Last-Event-ID": str(after)}
        async with self._client.stream("GET", f"/v1/runs/{run_id}/events", headers=headers) as response:
            await _check(response)
            async for event in parse_events(response.aiter_bytes()):
                yield event

    async def decide(self, approval_id: str, *, decision: Decision, digest: str, reason: str | None) -> None:
        body = {"decision": decision, "digest": digest, "reason": reason}
        await self._json("POST", f"/v1/approvals/{approval_id}", json=body)

    async def _json(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        response = await self._client.request(method, path, **kwargs)
        await _check(response)
        return response.json() if response.content else {}


def connect(url: str, token: str | None) -> httpx.AsyncClient:
    """A client for the server at `url`, like `http://127.0.0.1:8000`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(
        base_url=url.rstrip("/"), timeout=httpx.Timeout(SILENCE, connect=CONNECT_TIMEOUT), headers=headers
    )


async def _check(response: httpx.Response) -> None:
    """Raises Infrastructure: whatever the server refuses here, it is nothing that the agent did."""
    if (problem := await problem_of(response)) is not None:
        raise Infrastructure(f"The server answered: {problem}")
