"""Server-sent events, as lean as they get: bytes that are ready, joined when they arrive together, sent as raw ASGI.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agent.records import StoredEvent

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b": still here\n\n"
MOST_WAITING = 256 * 1024  # bytes for a reader that is slow; the rest waits in the event log
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def frame(event: StoredEvent) -> bytes:
    """One event on the wire. `data` is JSON without line breaks, so one `data:` line holds it."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.sequence, event.type.encode(), event.data)


class _Outbox:
    """Frames that wait to be sent, and what may wake the sender: a frame, the end, a reader that went away, silence."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.waiting = 0  # bytes
        self.open = True
        self.complete = False  # everything there is has been put
        self.error: Exception | None = None
        self.reader_left = False
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    def put(self, data: bytes) -> None:
        self.frames.append(data)
        self.waiting += len(data)
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> list[bytes]:
        """All that waits."""
        frames, self.frames, self.waiting = self.frames, [], 0
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        return frames

    async def room(self) -> None:
        """Until the reader has caught up, where it is slow."""
        if self.waiting >= MOST_WAITING:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    async def wait(self) -> None:
        """Until there is something to do."""
        if not self.frames and self.open and not self.reader_left:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter


class EventStream(Response):
    """Streams the events of a run, or frames that are ready, until it rests or the reader leaves; the run does not
    mind, unless `on_left` does something about it.

    An error of the source cuts the connection, so that the reader knows to come back with `Last-Event-ID`.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        events: AsyncIterator[StoredEvent] | AsyncIterator[bytes],
        *,
        heartbeat_seconds: float,
        headers: dict[str, str] | None = None,
        heartbeat: Callable[[], bytes] = lambda: HEARTBEAT,
        on_left: Callable[[], Awaitable[None]] | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.events = events
        self.heartbeat_seconds = heartbeat_seconds
        self.on_end = on_end
        self.heartbeat = heartbeat
        self.on_left = on_left
        extra = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        self.raw_headers = [*_HEADERS, *extra]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        outbox = _Outbox()
        source = asyncio.create_task(self._collect(outbox))
        reader = asyncio.create_task(_watch(receive, outbox))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send_all(outbox, send)
        finally:
            self.on_end()
            for task in (source, reader):
                task.cancel()
            await asyncio.gather(source, reader, return_exceptions=True)
            if outbox.reader_left and not outbox.complete and self.on_left is not None:
                await self.on_left()

    async def _collect(self, outbox: _Outbox) -> None:
        try:
            async for event in self.events:
                outbox.put(event if isinstance(event, bytes) else frame(event))
                await outbox.room()
            outbox.complete = True
        except Exception as error:  # noqa: BLE001  raised again where the response is sent
            outbox.error = error
        finally:
            outbox.open = False
            outbox.wake()

    async def _send_all(self, outbox: _Outbox, send: Send) -> None:
        """Until the reader has left, or everything is sent. The last frames end the body: one write less a stream.

        Raises what the source raised, the body visibly unfinished.
        """
        loop = asyncio.get_running_loop()
        last_sent = loop.time()

        def beat() -> None:
            nonlocal timer
            if not outbox.frames and loop.time() - last_sent >= self.heartbeat_seconds * 0.99:
                outbox.put(self.heartbeat())
            timer = loop.call_later(max(last_sent + self.heartbeat_seconds - loop.time(), 0.01), beat)

        timer = loop.call_later(self.heartbeat_seconds, beat)
        try:
            while True:
                await outbox.wait()
                if outbox.reader_left:
                    return
                frames = outbox.take()
                more = outbox.open or outbox.error is not None
                if frames or not more:
                    await send({"type": "http.response.body", "body": b"".join(frames), "more_body": more})
                    last_sent = loop.time()
                if outbox.error is not None:
                    raise outbox.error
                if not more:
                    return
        finally:
            timer.cancel()


async def _watch(receive: Receive, outbox: _Outbox) -> None:
    """Wait for the reader to leave. The request's body has been read, so nothing else can come."""
    while (await receive())["type"] != "http.disconnect":
        pass
    outbox.reader_left = True
    outbox.wake()
