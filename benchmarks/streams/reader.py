"""A lean reader of many streams: it must cost less than what it measures."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import pairwise

TOKEN = b"event: token\n"
END = b"event: run.finished\n"


@dataclass(slots=True)
class Readings:
    """One stream. Times are in seconds of `time.perf_counter()`."""

    asked: float = 0.0
    tokens: list[float] = field(default_factory=list[float])
    ended: float = 0.0
    status: bytes = b""

    @property
    def first_token(self) -> float:
        """Seconds from the request to the first token."""
        return self.tokens[0] - self.asked

    @property
    def gaps(self) -> list[float]:
        """Seconds between each two tokens."""
        return [later - earlier for earlier, later in pairwise(self.tokens)]


class _StreamProtocol(asyncio.Protocol):
    """Sends one request and notes when each token arrives. Tokens in one packet have one time."""

    def __init__(self, request: bytes, done: asyncio.Future[Readings]) -> None:
        self._request = request
        self._done = done
        self._tail = b""
        self.readings = Readings()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.readings.asked = time.perf_counter()
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        readings = self.readings
        if not readings.status:
            readings.status = data[9:12]
        text = self._tail + data  # a marker may be cut by a packet's end
        readings.tokens.extend([now] * (text.count(TOKEN) - self._tail.count(TOKEN)))
        if END in text:
            readings.ended = now
            self._transport.close()
        self._tail = text[-(len(END) - 1) :]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        if not self._done.done():
            self._done.set_result(self.readings)


async def read_stream(port: int, path: str, body: bytes) -> Readings:
    """Post `body` to `path` on this machine and read its event stream to the end."""
    request = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Readings] = loop.create_future()
    await loop.create_connection(lambda: _StreamProtocol(request, done), "127.0.0.1", port)
    return await done
