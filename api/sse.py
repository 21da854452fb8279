"""Server-sent events, as lean as they get: bytes that are ready, joined when they arrive together, sent as raw ASGI.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agent.reading import Reading
from agent.records import StoredEvent

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b": still here\n\n"
MOST_WAITING = 256 * 1024  # bytes for a reader that is slow, give or take an event; the rest waits in the event log
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def frame(event: StoredEvent) -> bytes:
    """One event on the wire. `data` is JSON without line breaks, so one `data:` line holds it."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.sequence, event.type.encode(), event.data)


async def client_gone(receive: Receive) -> None:
    """Until the client leaves. The request's body has been read, so nothing else can come."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Source(Protocol):
    """What a stream sends, as far as it is there.

    Attributes:
        over: Nothing comes after what `next` returned.
    """

    @property
    def over(self) -> bool: ...

    async def next(self) -> bytes:
        """Frames that are ready, as many as there are; nothing when it is over or was woken."""
        ...

    def wake(self) -> None:
        """Let `next` return now, or the next time."""
        ...

    async def aclose(self) -> None: ...


class RunFrames:
    """The events of a run, as frames; of many large ones not all at once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._events: Sequence[StoredEvent] = ()
        self.wake = reading.wake
        self.aclose = reading.aclose

    @property
    def over(self) -> bool:
        return self._reading.over and not self._events

    async def next(self) -> bytes:
        events = self._events or await self._reading.next()
        count = size = 0
        while count < len(events) and size < MOST_WAITING:
            size += len(events[count].data)
            count += 1
        self._events = events[count:]
        return b"".join([frame(event) for event in events[:count]])


class Gathered:
    """Frames of an iterator, gathered by a task of their own while the reader is slow, within bounds.

    Attributes:
        complete: Everything that there is has been gathered.
    """

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self._iterator = frames
        self._frames: list[bytes] = []
        self._bytes = 0
        self._error: Exception | None = None
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._collecting: asyncio.Task[None] | None = None
        self.complete = False

    @property
    def over(self) -> bool:
        return self.complete and not self._frames

    async def next(self) -> bytes:
        if self._collecting is None:
            self._collecting = asyncio.create_task(self._collect())
        await self._ready.wait()
        self._ready.clear()
        if self._error is not None and not self._frames:
            raise self._error
        gathered, self._frames, self._bytes = b"".join(self._frames), [], 0
        self._room.set()
        if self._collecting.done():
            self._ready.set()
        return gathered

    def wake(self) -> None:
        self._ready.set()

    async def aclose(self) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
            await asyncio.gather(self._collecting, return_exceptions=True)

    async def _collect(self) -> None:
        try:
            async for frames in self._iterator:
                self._frames.append(frames)
                self._bytes += len(frames)
                self._ready.set()
                while self._bytes >= MOST_WAITING:
                    self._room.clear()
                    await self._room.wait()
            self.complete = True
        except Exception as error:  # noqa: BLE001  raised again where the response is sent
            self._error = error
        finally:
            self._ready.set()


class _Silence:
    """Calls `wake` when nothing was sent for some seconds."""

    def __init__(self, seconds: float, wake: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._wake = wake
        self._since = self._loop.time()
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(seconds, self._look)

    @property
    def is_long(self) -> bool:
        return self._loop.time() - self._since >= 0.99 * self._seconds  # a timer may be a little early

    def broken(self) -> None:
        """Something was sent."""
        self._since = self._loop.time()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None  # or the two would hold each other until the garbage collector comes

    def _look(self) -> None:
        since = self._since
        if self.is_long:
            since = self._loop.time()
            self._wake()
        self._timer = self._loop.call_at(since + self._seconds, self._look)


class EventStream(Response):
    """Streams what a source has until it is over or the reader leaves; the run does not mind, unless `on_left` does
    something about it.

    An error of the source cuts the connection, so that the reader knows to come back with `Last-Event-ID`.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        source: Source,
        *,
        heartbeat_seconds: float,
        headers: dict[str, str] | None = None,
        heartbeat: Callable[[], bytes] = lambda: HEARTBEAT,
        on_left: Callable[[], Awaitable[None]] | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.source = source
        self.heartbeat_seconds = heartbeat_seconds
        self.on_end = on_end
        self.heartbeat = heartbeat
        self.on_left = on_left
        self._reader_left = False
        extra = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        self.raw_headers = [*_HEADERS, *extra]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        watching = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send_all(send)
        finally:
            self.on_end()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self.source.aclose()
            if self._reader_left and self.on_left is not None:
                await self.on_left()

    async def _send_all(self, send: Send) -> None:
        """Until the reader has left, or everything is sent. The last frames end the body: one write less a stream.

        Raises what the source raised, the body visibly unfinished.
        """
        source, silence = self.source, _Silence(self.heartbeat_seconds, self.source.wake)
        try:
            while not self._reader_left:
                body, more = await source.next(), not source.over
                if self._reader_left:
                    return
                if not body and more:
                    if not silence.is_long:
                        continue
                    body = self.heartbeat()
                await send({"type": "http.response.body", "body": body, "more_body": more})
                silence.broken()
                if not more:
                    return
        finally:
            silence.end()

    async def _watch(self, receive: Receive) -> None:
        await client_gone(receive)
        self._reader_left = True
        self.source.wake()
