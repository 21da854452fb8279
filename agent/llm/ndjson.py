"""Lines out of bytes that arrive cut anywhere."""

from __future__ import annotations

LARGEST_LINE = 16 * 2**20  # bytes


class LineParser:
    """Feed it bytes; it gives back every line that they complete. Only a line feed ends a line.

    httpx's `aiter_lines` ends one at U+0085 and U+2028 too, which JSON may hold as they are.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[bytes]:
        """The lines that end in `received`, without their ends, and without those that are blank.

        Raises:
            ValueError: A line is longer than any answer can be.
        """
        *whole, self._rest = (self._rest + received).split(b"\n")
        if len(self._rest) > LARGEST_LINE:
            raise ValueError(f"a line of more than {LARGEST_LINE} bytes")
        return [line for line in whole if not line.isspace() and line]

    def finish(self) -> list[bytes]:
        """The last line, where nothing ends it."""
        return self.feed(b"\n")
