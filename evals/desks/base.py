"""What the driver needs of whoever takes requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from agent.records import StoredEvent
from evals.case import Decision


class Infrastructure(Exception):
    """The case could not be tried: it says nothing about the agent. The message tells what was missing."""


class Desk(Protocol):
    """An agent behind some door."""

    async def begin_thread(self) -> str: ...

    async def upload(self, name: str, content: bytes) -> str:
        """A document's id."""
        ...

    async def submit(self, thread_id: str, text: str, documents: Sequence[str]) -> str:
        """A run's id. Raises Infrastructure."""
        ...

    def events(self, run_id: str, *, after: int) -> AsyncGenerator[StoredEvent]:
        """The run's events from there until it rests."""
        ...

    async def decide(self, approval_id: str, *, decision: Decision, digest: str, reason: str | None) -> None: ...
