"""Asking again, only while nothing of the answer has been passed on: a reader never sees a beginning twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agent.attempts import Attempts
from agent.llm.base import Delta, Deltas
from agent.llm.errors import ModelUnavailable, StreamBroken

TRIES = 3
FIRST_WAIT = 0.2  # seconds, doubled each time, at random below that
LONGEST_WAIT = 5.0  # seconds, also of what a server asks for

AGAIN = (ModelUnavailable, StreamBroken)
_backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


def until_it_starts(
    attempt: Callable[[], AsyncGenerator[Delta, None]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Deltas:
    """The deltas of the first attempt that gets as far as one. Raises what the last one did."""
    return _Retried(attempt, sleep)


class _Retried(Deltas):
    """No generator around the attempt's own: it would be gone through for every token."""

    def __init__(
        self, attempt: Callable[[], AsyncGenerator[Delta, None]], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._attempt = attempt
        self._sleep = sleep
        self._deltas: AsyncGenerator[Delta, None] | None = None

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, Delta]:
        return self._first() if self._deltas is None else self._deltas.__anext__()

    async def _first(self) -> Delta:
        async for attempt in Attempts(AGAIN, self._retrying):
            with attempt:
                first, self._deltas = await _begin(self._attempt)
                return first
        raise AssertionError("the last attempt returns or raises")

    def _retrying(self) -> AsyncRetrying:
        return AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=_wait,
            sleep=self._sleep,
            retry=retry_if_exception_type(AGAIN),
            reraise=True,
        )

    async def aclose(self) -> None:
        if self._deltas is not None:
            await self._deltas.aclose()


async def _begin(attempt: Callable[[], AsyncGenerator[Delta, None]]) -> tuple[Delta, AsyncGenerator[Delta, None]]:
    deltas = attempt()
    try:
        return await anext(deltas), deltas
    except StopAsyncIteration:
        raise StreamBroken("The model ended its answer before it began.") from None
    except BaseException:
        await deltas.aclose()
        raise


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ModelUnavailable) and error.retry_after is not None:
        return min(error.retry_after, LONGEST_WAIT)
    return _backoff(state)
