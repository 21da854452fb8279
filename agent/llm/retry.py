"""Asking again, only while nothing of the answer has been passed on: a reader never sees a beginning twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agent.llm.base import Delta
from agent.llm.errors import ModelUnavailable, StreamBroken

TRIES = 3
FIRST_WAIT = 0.2  # seconds, doubled each time, at random below that
LONGEST_WAIT = 5.0  # seconds, also of what a server asks for

_backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


async def until_it_starts(
    attempt: Callable[[], AsyncGenerator[Delta, None]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncGenerator[Delta, None]:
    """The deltas of the first attempt that gets as far as one. Raises what the last one did."""
    retrying = AsyncRetrying(
        stop=stop_after_attempt(TRIES),
        wait=_wait,
        sleep=sleep,
        retry=retry_if_exception_type((ModelUnavailable, StreamBroken)),
        reraise=True,
    )
    first, rest = cast("tuple[Delta, AsyncGenerator[Delta, None]]", await retrying(_begin, attempt))
    async with aclosing(rest):
        yield first
        async for delta in rest:
            yield delta


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
