"""What a deskclerk server answers, as its clients read it: the command line, and the evals of a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from agent.records import StoredEvent

if TYPE_CHECKING:
    import httpx


async def parse_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[StoredEvent]:
    """Events of a server-sent stream. Comments are skipped; an event that was cut off is not told.

    Lines end with LF, as we write them; JSON may hold other characters that Python's `splitlines` would end a line at.
    """
    rest = b""
    async for chunk in chunks:
        *blocks, rest = (rest + chunk).split(b"\n\n")
        for block in blocks:
            fields = dict(_field(line) for line in block.split(b"\n"))
            if b"data" in fields:
                yield StoredEvent(int(fields[b"id"]), fields[b"event"].decode(), fields[b"data"])


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


async def problem_of(response: httpx.Response) -> str | None:
    """What the server says is wrong, with its code; None where nothing is."""
    if not response.is_error:
        return None
    await response.aread()
    try:
        problem = response.json()
        return f"{problem['detail']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.reason_phrase}"
