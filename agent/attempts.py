"""Attempts of what may have to be made again: tenacity's rules, and not its cost where the first succeeds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from tenacity import AsyncRetrying, AttemptManager


class _First:
    """Tenacity hears of it only when it fails in a way that is tried again."""

    number = 1

    def __init__(self, transient: tuple[type[Exception], ...]) -> None:
        self.failed: Exception | None = None
        self._transient = transient

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, self._transient):
            self.failed = error
        return self.failed is not None


class _Another:
    def __init__(self, number: int, manager: AttemptManager) -> None:
        self.number = number
        self._manager = manager

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return bool(self._manager.__exit__(kind, error, traceback))


Attempt = _First | _Another
"""`with` it, do what may have to be done again. `number` counts from 1."""


class Attempts:
    """`async for attempt in Attempts(...): with attempt: ...`, left by `return` when one succeeds.

    Nearly every first attempt succeeds, and what tenacity makes for one is dozens of objects that only the garbage
    collector finds. So the first is made without it, and told to it, if it failed, as the first of its own.

    Args:
        transient: What is tried again.
        retrying: Says for how long and after which waits; asked when the first attempt failed.
    """

    def __init__(self, transient: tuple[type[Exception], ...], retrying: Callable[[], AsyncRetrying]) -> None:
        self._retrying = retrying
        self._first = _First(transient)
        self._made = 0
        self._others: AsyncIterator[AttemptManager] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Attempt:
        self._made += 1
        if self._made == 1:
            return self._first
        if self._others is None:
            if self._first.failed is None:
                raise StopAsyncIteration
            self._others = aiter(self._retrying())
            with await anext(self._others):
                raise self._first.failed
        return _Another(self._made, await anext(self._others))
