"""From a node to the run's watchers: typed events, serialised once, through LangGraph's custom stream.

Tokens take a short way past it: see `Emitter`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

from agent.events import RunEvent


class Emitted(NamedTuple):
    """An event that has no number yet."""

    type: str
    data: bytes


def encode(event: RunEvent) -> bytes:
    """The event's JSON, without the fields that are not set."""
    return _dumps({name: value for name, value in event.__dict__.items() if value is not None})


def _dumps(value: dict[str, Any]) -> bytes:
    """JSON to be kept. What orjson returns holds on to its buffer, 4 KiB for the shortest token (measured, 3.13)."""
    return bytes(memoryview(orjson.dumps(value, default=_plain)))


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return {name: inner for name, inner in value.__dict__.items() if inner is not None}
    raise TypeError(f"{type(value).__name__} is not JSON")


class Barrier(NamedTuple):
    """Asks whoever takes the events to have those before it stored, and to say so."""

    stored: asyncio.Future[None]


Tell = Callable[[str, bytes], None]
"""Shows an event, by type and data, to a run's watchers."""


class Emitter:
    """Writes events of one node. Tokens that arrive together leave as one event, at the end of the loop's turn.

    Args:
        write: LangGraph's stream writer.
        tell: The short way, for tokens: through the stream one would cost more than all that is done for it besides.
            Whatever was written before must have been taken from the stream, so only a node that begins with tokens
            has it.
    """

    def __init__(self, write: Callable[[Emitted | Barrier], None], tell: Tell | None = None) -> None:
        self._write = write
        self._tell = tell
        self._text: list[str] = []
        self._loop = asyncio.get_running_loop()

    def token(self, text: str) -> None:
        """Text for the person."""
        if not self._text:
            self._loop.call_soon(self.flush)
        self._text.append(text)

    def emit(self, event: RunEvent) -> None:
        """Any other event, after the text before it."""
        self.flush()
        self._write(Emitted(event.type, encode(event)))

    async def stored(self) -> None:
        """Wait until everything emitted so far is in the database.

        Raises:
            WorkLost: Another process has taken the run over.
        """
        self.flush()
        barrier = Barrier(self._loop.create_future())
        self._write(barrier)
        await barrier.stored

    def flush(self) -> None:
        """Let the text go."""
        if self._text:
            data = _dumps({"text": "".join(self._text)})
            self._text.clear()
            if self._tell is not None:
                self._tell("token", data)
            else:
                self._write(Emitted("token", data))
