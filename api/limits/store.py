"""Where requests and tokens are counted: in this process, or in Redis for several.

While Redis is away each process counts for itself, by the same limits: nobody is locked out by it, and nobody gets more
than the limit times the servers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError

log = logging.getLogger(__name__)

TIMEOUT = 0.25  # seconds for Redis to answer
AWAY = 2.0  # seconds until Redis is tried again
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit stands. `resets_in`: seconds until there is more of it."""

    name: str
    item: RateLimitItem
    remaining: int
    resets_in: float
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Counters:
    """What `limits` keeps its counts in."""

    requests: SlidingWindowCounterRateLimiter
    tokens: FixedWindowRateLimiter


class Store:
    """Counts by name, limit and whose it is."""

    def __init__(self, url: str) -> None:
        self._here = _counters(MemoryStorage())
        self._shared: Counters | None = None
        self._away_until = 0.0
        self._redis: RedisStorage | None = None
        if not url.startswith("memory:"):
            self._redis = _redis(url)
            self._shared = _counters(self._redis)

    async def close(self) -> None:
        """Give the connections to Redis back."""
        if self._redis is not None:
            bridge: Any = self._redis.bridge  # `limits` has no way to close its client
            await bridge.get_connection().aclose()

    async def count(self, name: str, item: RateLimitItem, whose: str) -> Standing:
        """Count a request, unless there were too many; that one is refused, and not counted."""

        async def work(counters: Counters) -> Standing:
            hit = await counters.requests.hit(item, name, whose)
            stats = await counters.requests.get_window_stats(item, name, whose)
            return Standing(name, item, stats.remaining, max(stats.reset_time - time.time(), 0.0), refused=not hit)

        return await self._do(work)

    async def spent(self, name: str, items: Sequence[RateLimitItem], whose: str) -> Standing | None:
        """The first limit on tokens that is used up; None when there are some left of each."""

        async def work(counters: Counters) -> Standing | None:
            for item in items:
                if not await counters.tokens.test(item, name, whose):
                    stats = await counters.tokens.get_window_stats(item, name, whose)
                    return Standing(name, item, 0, max(stats.reset_time - time.time(), 0.0), refused=True)
            return None

        return await self._do(work)

    async def spend(self, name: str, items: Sequence[RateLimitItem], whose: str, tokens: int) -> None:
        """Charge tokens, also beyond the limit: they are spent."""

        async def work(counters: Counters) -> None:
            for item in items:
                await counters.tokens.hit(item, name, whose, cost=tokens)

        await self._do(work)

    async def _do(self, work: Callable[[Counters], Awaitable[T]]) -> T:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return await work(self._shared)
            except StorageError as error:
                self._away_until = time.monotonic() + AWAY
                log.warning("limits_counted_here", extra={"error": repr(error.storage_error)})
        return await work(self._here)


def _redis(url: str) -> RedisStorage:
    try:
        return RedisStorage(
            f"async+{url}",
            implementation="redispy",
            wrap_exceptions=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
        )
    except ConfigurationError as error:
        raise ConfigurationError(
            "DESKCLERK_LIMITS_URL needs the extra `redis`: pip install 'deskclerk[redis]'"
        ) from error


def _counters(storage: MemoryStorage | RedisStorage) -> Counters:
    return Counters(SlidingWindowCounterRateLimiter(storage), FixedWindowRateLimiter(storage))
