"""Requests that meet at one thread or one server: double texting, cancellations, and too many at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.chaos.replica import Replica

ENDED = {"succeeded", "failed", "cancelled"}


@dataclass
class Desk:
    """What a client asks of one server."""

    server: Replica

    async def _send(self, method: str, url: str, body: dict[str, Any] | None = None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=60) as http:
            return await http.request(method, url, json=body)

    async def thread(self) -> str:
        return str((await self._send("POST", "/v1/threads")).json()["id"])

    async def ask(self, thread: str, text: str, **options: Any) -> httpx.Response:
        """In the background."""
        body = {"input": text, "background": True, **options}
        return await self._send("POST", f"/v1/threads/{thread}/runs", body)

    async def run(self, thread: str, text: str, **options: Any) -> str:
        answer = await self.ask(thread, text, **options)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def cancel(self, run_id: str) -> int:
        return (await self._send("POST", f"/v1/runs/{run_id}/cancel")).status_code

    async def show(self, run_id: str) -> dict[str, Any]:
        return (await self._send("GET", f"/v1/runs/{run_id}")).json()

    async def until(self, run_id: str, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        """The run, once it has one of these statuses."""
        async with asyncio.timeout(seconds):
            while (run := await self.show(run_id))["status"] not in statuses:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return run

    async def ended(self, run_id: str) -> dict[str, Any]:
        return await self.until(run_id, *ENDED)

    async def story(self, run_id: str) -> bytes:
        return (await self._send("GET", f"/v1/runs/{run_id}/events")).content
