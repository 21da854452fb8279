"""Connections whose other side is slow on purpose, or gone without a word: they are not waited for for ever.

Uvicorn waits without end for a request's head, for the rest of a body that was answered before it had come, and for a
reader to make room. These keep a connection, the last also what is to be sent; a reader that was cut off comes back
with `Last-Event-ID`. For a body that is still wanted: `api/middleware/body_limit.py`.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def patient(*, header_seconds: float, write_seconds: float) -> type[HttpToolsProtocol]:
    """Uvicorn's protocol, whose patience ends.

    Args:
        header_seconds: For a request's head, from the connection or from its first byte; and for what is left of a body
            once it was answered.
        write_seconds: For the other side to read on, once more waits than the system's buffers hold.
    """

    class Patient(HttpToolsProtocol):
        """One connection."""

        _head: asyncio.TimerHandle | None = None
        _rest: asyncio.TimerHandle | None = None
        _room: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  as uvicorn's own
            super().connection_made(transport)
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head = _stopped(self._head)
            self._rest = _stopped(self._rest)
            self._room = _stopped(self._room)
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._head is None:
                self._await_head()

        def on_headers_complete(self) -> None:
            self._head = _stopped(self._head)
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._rest = _stopped(self._rest)
            super().on_message_complete()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
                self._rest = self.loop.call_later(header_seconds, self.transport.close)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._room = self.loop.call_later(write_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            self._room = _stopped(self._room)
            super().resume_writing()

        def _await_head(self) -> None:
            self._head = self.loop.call_later(header_seconds, self._give_up_head)

        def _give_up_head(self) -> None:
            if self.cycle and not self.cycle.response_complete:
                self._await_head()  # it is the next request's: this one is answered first
            else:
                self._head = None
                self.transport.close()

    return Patient


def _stopped(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
