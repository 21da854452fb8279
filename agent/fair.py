"""Places that are shared fairly: whoever has the fewest gets the next, so that one user's flood delays only that user.

Of those who have equally many, the one who gave a place back, or came, longest ago is next: who leaves and comes back
is neither before nor behind those who always have more to do. Within a user, first come, first served. Without users
(nobody signs in) it is one line.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

User = str | None
"""Whose it is; None where nobody signed in."""


@dataclass(slots=True)
class FairPlaces:
    """Places of this process.

    Args:
        total: None for as many as are wanted.
        each: That one user may have at once, though more are free; None for no bound. Nobody signed in, no bound.
    """

    total: int | None
    each: int | None = None
    _taken: int = 0
    _held: Counter[User] = field(default_factory=Counter[User])
    _lines: dict[User, deque[asyncio.Future[None]]] = field(default_factory=dict[User, deque[asyncio.Future[None]]])
    _since: dict[User, int] = field(default_factory=dict[User, int])  # the turn when they last gave one back, or came
    _turn: int = 0

    @property
    def taken(self) -> int:
        """Places that are taken, by anybody."""
        return self._taken

    def held(self, user: User) -> int:
        """How many this user has."""
        return self._held[user]

    def try_take(self, user: User) -> bool:
        """Take a place if one is free for this user, and nothing of theirs waits."""
        if user in self._lines or not self._is_free(user):
            return False
        self.take(user)
        return True

    def take(self, user: User) -> None:
        """Take a place, even one too many."""
        self._taken += 1
        self._held[user] += 1
        self._turn += 1
        self._since.setdefault(user, self._turn)

    async def enter(self, user: User) -> None:
        """Wait for a place and take it."""
        if self.try_take(user):
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(user, deque()).append(place)
        self._since.setdefault(user, self._turn)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(user)  # it was given to us in the same moment
            else:
                self._withdraw(user, place)
            raise

    def leave(self, user: User) -> None:
        """Give a place back."""
        self._taken -= 1
        self._held[user] -= 1
        self._since[user] = self._turn
        self._forget(user)
        self._give()

    @asynccontextmanager
    async def of(self, user: User) -> AsyncGenerator[None]:
        """A place while the block runs."""
        if self.total is None:
            yield
            return
        await self.enter(user)
        try:
            yield
        finally:
            self.leave(user)

    def _is_free(self, user: User) -> bool:
        fits = self.total is None or self._taken < self.total
        return fits and (user is None or self.each is None or self._held[user] < self.each)

    def _give(self) -> None:
        while waiting := [user for user in self._lines if self._is_free(user)]:
            user = min(waiting, key=lambda user: (self._held[user], self._since[user]))
            place = self._lines[user].popleft()
            if not self._lines[user]:
                del self._lines[user]
            if not place.done():
                self.take(user)
                place.set_result(None)

    def _withdraw(self, user: User, place: asyncio.Future[None]) -> None:
        line = self._lines.get(user)
        if line is not None:
            with suppress(ValueError):
                line.remove(place)
            if not line:
                del self._lines[user]
        self._forget(user)

    def _forget(self, user: User) -> None:
        """Nothing is kept of users who are not here."""
        if not self._held[user]:
            del self._held[user]
            if user not in self._lines:
                self._since.pop(user, None)
