"""Lines out of bytes that arrive cut anywhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

LARGEST_LINE = 16 * 2**20  # bytes


async def lines(received: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Each line that is not empty, without its end. Only a line feed ends a line.

    httpx's `aiter_lines` ends one at U+0085 and U+2028 too, which JSON may hold as they are.

    Raises:
        ValueError: A line is longer than any answer can be.
    """
    rest = b""
    async for piece in received:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(rest) > LARGEST_LINE:
            raise ValueError(f"a line of more than {LARGEST_LINE} bytes")
    if rest.strip():
        yield rest
