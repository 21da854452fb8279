"""Server-sent events out of bytes that arrive cut anywhere.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LARGEST_LINE = 16 * 2**20  # bytes

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventParser:
    """Feed it bytes; it gives back the `data` of every event that they complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, received: bytes) -> Iterator[str]:
        """The data of the events that end in `received`.

        Raises:
            ValueError: A line is not UTF-8, or longer than any event can be.
        """
        buffer = self._rest + received
        start = 0
        for end in _LINE_END.finditer(buffer):
            if end.end() == len(buffer) and end[0] == b"\r":
                break  # its line feed may still come
            if (data := self._line(buffer[start : end.start()])) is not None:
                yield data
            start = end.end()
        self._rest = buffer[start:]
        if len(self._rest) > LARGEST_LINE:
            raise ValueError(f"a line of more than {LARGEST_LINE} bytes")

    def _line(self, line: bytes) -> str | None:
        if not line:
            event, self._data = self._data, []
            return "\n".join(event) if event else None
        field, _, value = line.decode("utf-8").partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        return None
