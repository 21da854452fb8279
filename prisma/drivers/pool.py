"""A pool of connections of any kind: last in, first out; who waits is served in order; safe to cancel at any await."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from prisma.errors import ClientNotConnectedError, PoolTimeoutError

C = TypeVar("C")


class Pool(Generic[C]):
    """At most `size` connections, opened when they are needed.

    Whoever acquires a connection must `release` it, or `discard` it when it may not be used again.
    """

    def __init__(self, connect: Callable[[], Awaitable[C]], *, size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: list[C] = []
        self._open = 0  # connections that are idle, in use, or being opened
        self._waiters: deque[asyncio.Future[C | None]] = deque()  # None: open one, its place is reserved
        self._closing: asyncio.Future[None] | None = None

    @property
    def in_use(self) -> int:
        """Connections that somebody has, or that are being opened."""
        return self._open - len(self._idle)

    @property
    def opened(self) -> int:
        return self._open

    async def acquire(self, *, timeout: float) -> C:  # noqa: ASYNC109 - the pool's error names what ran out
        """A connection of one's own.

        Raises:
            PoolTimeoutError: None became free in `timeout` seconds.
        """
        if self._closing is not None:
            raise ClientNotConnectedError("The client is being disconnected.")
        if self._idle:
            return self._idle.pop()
        if self._open < self._size:
            self._open += 1
            return await self._fill_place()
        return await self._wait(timeout)

    def release(self, connection: C) -> None:
        """Give back a connection that may be used again."""
        if not self._hand_over(connection):
            self._idle.append(connection)
        self._tell_closer()

    def discard(self, _connection: C | None = None) -> None:
        """Give back only the place of a connection that is closed, or that could not be opened."""
        if not self._hand_over(None):
            self._open -= 1
        self._tell_closer()

    def take_idle(self) -> list[C]:
        """The idle connections, which the pool forgets: for closing them."""
        idle, self._idle = self._idle, []
        self._open -= len(idle)
        return idle

    async def close(self) -> list[C]:
        """Wait until every connection is given back, and return them for closing. The pool may be used again then."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_future()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(ClientNotConnectedError("The client was disconnected."))
        self._tell_closer()
        try:
            await asyncio.shield(self._closing)
        finally:  # who is cancelled here leaves a pool that may be used, or closed, again
            self._closing = None
        return self.take_idle()

    async def _fill_place(self) -> C:
        try:
            return await self._connect()
        except BaseException:
            self.discard()
            raise

    async def _wait(self, timeout: float) -> C:  # noqa: ASYNC109
        waiter: asyncio.Future[C | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                found = await waiter
        except BaseException as error:
            self._withdraw(waiter)
            if isinstance(error, TimeoutError):
                raise PoolTimeoutError(
                    f"No connection became free in {timeout:g} s; all {self._size} are in use."
                ) from None
            raise
        return await self._fill_place() if found is None else found

    def _withdraw(self, waiter: asyncio.Future[C | None]) -> None:
        """Pass on what a waiter was given after it stopped waiting."""
        if not waiter.done() or waiter.cancelled():
            waiter.cancel()
            return
        if waiter.exception() is None:
            connection = waiter.result()
            if connection is None:
                self.discard()
            else:
                self.release(connection)

    def _hand_over(self, connection: C | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _tell_closer(self) -> None:
        if self._closing is not None and not self._closing.done() and self.in_use == 0:
            self._closing.set_result(None)
