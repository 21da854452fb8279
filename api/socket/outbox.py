"""What waits to be sent on one socket. Bounded: whoever has more to say waits, and reads it from the log later."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

MOST_WAITING = 256  # messages
MOST_CHARACTERS = 256 * 1024  # of all of them together; a single longer one is sent alone


class TooSlow(Exception):
    """The reader took nothing for too long. Everything it missed can be resumed."""


class Outbox:
    """One sender, any number of runs and answers that want to be told."""

    def __init__(self, send: Callable[[str], Awaitable[None]], *, patience: float) -> None:
        self._send = send
        self._patience = patience
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._changed = asyncio.Condition()

    @property
    def waiting(self) -> int:
        """Messages that are not being sent yet."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Nothing more may be put."""
        return len(self._waiting) >= MOST_WAITING or self._characters >= MOST_CHARACTERS

    async def put(self, message: str) -> None:
        """Have a message sent after those before it; waits while the reader is behind."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.full)
            self._waiting.append(message)
            self._characters += len(message)
            self._changed.notify_all()

    async def run(self) -> None:
        """Send, for ever.

        Raises:
            TooSlow: The reader has not taken a message for `patience` seconds.
        """
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._waiting))
                message = self._waiting.popleft()
                self._characters -= len(message)
                self._changed.notify_all()
            try:
                async with asyncio.timeout(self._patience):
                    await self._send(message)
            except TimeoutError:
                raise TooSlow from None
