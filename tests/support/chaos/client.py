"""A client that gets an order done whatever happens to the servers, and remembers every byte that it was told."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

FRAME = re.compile(rb"id: (\d+)\nevent: ([a-z.]+)\ndata: (\{[^\n]*\})\n\n")
PAUSE = 0.05  # seconds before it tries again
SILENCE = 5.0  # seconds after which a server is thought to be gone; heartbeats are more frequent
REQUEST = "Here is the order. Check it, invoice it and take the payment."

Address = Callable[[], str]
"""Where to ask next: another server may have taken over."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as it was told."""

    sequence: int
    type: str
    data: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.data)


@dataclass(eq=False)
class Customer:
    """Sends one order and sees to it that it ends.

    Attributes:
        seen: By sequence number, what was told under it, live or later.
        told: How often an event was told, by anybody.
    """

    address: Address
    document: str
    decide: bool = True
    run_id: str = ""
    seen: dict[int, Told] = field(default_factory=dict[int, Told])
    decided: list[str] = field(default_factory=list[str])
    cuts: int = 0
    _http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=SILENCE))

    async def until_ended(self) -> str:
        """Submit, follow, approve what is asked; the status at the end."""
        try:
            await self.submit()
            while True:
                status = await self.follow()
                if status != "waiting":
                    return status
                if not self.decide:
                    return status
                await self.approve()
        finally:
            await self._http.aclose()

    async def submit(self) -> None:
        body = {"input": REQUEST, "documents": [self.document], "background": True}
        thread = await self._send("POST", "/v1/threads", good={201})
        url = f"/v1/threads/{thread.json()['id']}/runs"
        answer = await self._send("POST", url, json=body, headers={"Idempotency-Key": f"of-{self.document}"})
        self.run_id = answer.json()["id"]

    async def approve(self) -> None:
        for asked in [told.json for told in self.seen.values() if told.type == "approval.required"]:
            if asked["approval_id"] in self.decided:
                continue
            body = {"decision": "approve", "digest": asked["digest"]}
            answer = await self._send("POST", f"/v1/approvals/{asked['approval_id']}", json=body, good={200, 409})
            assert answer.status_code == 200 or answer.json()["code"] == "approval_not_pending", answer.text
            self.decided.append(asked["approval_id"])

    async def follow(self) -> str:
        """Read events until the run rests; come back with the last number when the connection breaks."""
        while True:
            last = max(self.seen, default=0)
            if last and self.seen[last].type == "run.finished" and self.seen[last].json["status"] != "waiting":
                return self.seen[last].json["status"]
            try:
                status = await self._read(last)
                if status is not None:
                    return status
            except httpx.TransportError:
                self.cuts += 1
            await asyncio.sleep(PAUSE)

    async def _read(self, after: int) -> str | None:
        url = f"{self.address()}/v1/runs/{self.run_id}/events"
        async with self._http.stream("GET", url, headers={"Last-Event-ID": str(after)}) as answer:
            if answer.status_code != 200:
                return None
            rest = b""
            async for chunk in answer.aiter_raw():
                *frames, rest = (rest + chunk).split(b"\n\n")
                for frame in frames:
                    if (found := FRAME.fullmatch(frame + b"\n\n")) is None:
                        continue  # a heartbeat
                    told = Told(int(found[1]), found[2].decode(), found[3])
                    self._note(told)
                    if told.type == "run.finished":
                        return str(told.json["status"])
        return None

    def _note(self, told: Told) -> None:
        known = self.seen.setdefault(told.sequence, told)
        assert known == told, f"two contents of one number: {known} and {told}"

    async def transcript(self, server: str) -> bytes:
        """The whole story as this server tells it now."""
        async with httpx.AsyncClient(timeout=30) as http:
            return (await http.get(f"{server}/v1/runs/{self.run_id}/events")).content

    async def _send(self, method: str, url: str, *, good: set[int] | None = None, **options: Any) -> httpx.Response:
        while True:
            try:
                answer = await self._http.request(method, f"{self.address()}{url}", **options)
            except httpx.TransportError:
                self.cuts += 1
            else:
                if answer.status_code in (good or {200, 202}):
                    return answer
                assert answer.status_code >= 500, answer.text  # starting, stopping, or cut off
            await asyncio.sleep(PAUSE)


def frames_of(body: bytes) -> list[Told]:
    """The events of a whole stream, which must be nothing but frames and heartbeats."""
    frames = body.replace(b": still here\n\n", b"")
    found = [Told(int(match[1]), match[2].decode(), match[3]) for match in FRAME.finditer(frames)]
    assert sum(len(match[0]) for match in FRAME.finditer(frames)) == len(frames)
    return found


def check_transcript(body: bytes, seen: dict[int, Told]) -> None:
    """One story: numbers rise, each call is told once, one end; and whoever read it live read nothing else."""
    events = frames_of(body)
    numbers = [event.sequence for event in events]
    assert all(after > before for before, after in itertools.pairwise(numbers)), numbers
    ends = [event.json["status"] for event in events if event.type == "run.finished"]
    assert ends[-1] != "waiting", ends
    assert set(ends[:-1]) <= {"waiting"}, ends
    assert events[-1].type == "run.finished"
    assert [event.type for event in events].count("run.started") == 1
    for kind in ("tool.call", "tool.result", "approval.required"):
        calls = [event.json["call_id"] for event in events if event.type == kind]
        assert len(calls) == len(set(calls)), (kind, calls)
    stored = {event.sequence: event for event in events}
    for number, told in seen.items():
        assert stored.get(number, told) == told, f"told live as {told}, later as {stored[number]}"
