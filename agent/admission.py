"""How many runs work at once, and how many may wait for that: beyond, a request is refused and not piled up.

Places are shared fairly between users (`agent/fair.py`), and of one user only so many may wait: nobody fills the line
for all. One API key and one address may have only so many runs here, at work or waiting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.errors import TooBusy, TooManyRuns
from agent.fair import FairPlaces, User

FIRST_GUESS = 5.0  # seconds that a run takes, before any was seen
WEIGHT = 0.1  # of the last run in the average

Source = tuple[str, str]
"""What a run was asked with or from: `("key", its id)`, `("address", ...)`."""


@dataclass(slots=True)
class Admission:
    """The places of this process.

    Args:
        running: Runs at work.
        queued: Runs that wait for a place, or for their turn in their thread.
        running_each, queued_each: The same, of one user. Where nobody signs in there are no users.
        of_source: Runs at work or waiting, by the kind of source; a kind that is not named has no bound.
    """

    running: int
    queued: int
    running_each: int | None = None
    queued_each: int | None = None
    of_source: Mapping[str, int] = field(default_factory=dict[str, int])
    _places: FairPlaces = field(init=False)
    _waiting: Counter[User] = field(default_factory=Counter[User])
    _of_source: Counter[Source] = field(default_factory=Counter[Source])
    _mean_seconds: float = FIRST_GUESS

    def __post_init__(self) -> None:
        self._places = FairPlaces(self.running, self.running_each)

    @property
    def at_work(self) -> int:
        """Places that are taken."""
        return self._places.taken

    @property
    def waiting(self) -> int:
        """Runs that wait, and requests that have leave to."""
        return self._waiting.total()

    @property
    def full(self) -> bool:
        """The next request would be refused, whoever asks."""
        return self.at_work >= self.running and self.waiting >= self.queued

    def admit(self, user: User, sources: frozenset[Source] = frozenset()) -> Ticket:
        """Before a request is recorded: a place for it, or leave to wait, which nobody who comes later gets.

        Raises:
            TooManyRuns: As many of this user wait as may wait, or as many of a source are here as may be.
            TooBusy: As many wait as may wait.
        """
        for kind, name in sources:
            bound, here = self.of_source.get(kind), self._of_source[kind, name]
            if bound is not None and here >= bound:
                raise TooManyRuns(
                    f"Too many requests of this {kind} are at work or wait; try again later.",
                    retry_after_seconds=self._until_free(0, min(here, self.running)),
                )
        ticket = self._admitted(user, sources)
        self._of_source.update(sources)
        return ticket

    def _admitted(self, user: User, sources: frozenset[Source]) -> Ticket:
        if self._places.try_take(user):
            return Ticket(self, user, placed=True, sources=sources)
        if user is not None and self.queued_each is not None and self._waiting[user] >= self.queued_each:
            raise TooManyRuns(
                "Too many of your requests wait already; try again later.",
                retry_after_seconds=self._until_free(self._waiting[user], self.running_each or self.running),
            )
        if self._waiting.total() >= self.queued:
            raise TooBusy(
                "Too many requests wait already; try again later.",
                retry_after_seconds=self._until_free(self._waiting.total(), self.running),
            )
        self.wait(user)
        return Ticket(self, user, placed=False, sources=sources)

    def _until_free(self, waiting: int, places: int) -> float:
        """Seconds, guessed."""
        return max(1.0, self._mean_seconds * (waiting + 1) / places)

    def wait(self, user: User) -> None:
        """One more waits."""
        self._waiting[user] += 1

    def wait_no_more(self, user: User) -> None:
        """One of them does not any more."""
        self._waiting[user] -= 1
        if not self._waiting[user]:
            del self._waiting[user]

    def waits(self, user: User) -> _Waiting:
        """`with` it while a run waits for anything, so that it is counted."""
        return _Waiting(self, user)

    def forget(self, sources: frozenset[Source]) -> None:
        """One run less of these."""
        for source in sources:
            self._of_source[source] -= 1
            if not self._of_source[source]:
                del self._of_source[source]

    def take(self, user: User) -> None:
        """Take a place, even one too many: for a run that has waited for a person already."""
        self._places.take(user)

    async def enter(self, user: User) -> None:
        """Wait for a place and take it, shared fairly."""
        await self._places.enter(user)

    def leave(self, user: User, seconds: float | None) -> None:
        """Give the place back after so many seconds of work, or unused."""
        if seconds is not None:
            self._mean_seconds += WEIGHT * (seconds - self._mean_seconds)
        self._places.leave(user)


@dataclass(slots=True)
class Ticket:
    """What a request has until its run begins, or begins to wait. `placed`: it is a place, else leave to wait.

    Its run counts for its sources until the ticket is closed: when it rests or goes on elsewhere.
    """

    admission: Admission
    user: User
    placed: bool
    sources: frozenset[Source] = frozenset()
    _open: bool = True

    def take_place(self) -> bool:
        """The place is the run's now. False when there was none."""
        if not self.placed:
            self.give_back()
        taken, self._open = self._open, False
        return taken

    def give_back(self) -> None:
        """It is not needed any more, if it still was."""
        if not self._open:
            return
        self._open = False
        if self.placed:
            self.admission.leave(self.user, None)
        else:
            self.admission.wait_no_more(self.user)

    def close(self) -> None:
        """The run is over, or never was."""
        self.give_back()
        sources, self.sources = self.sources, frozenset()
        self.admission.forget(sources)


@dataclass(frozen=True, slots=True)
class _Waiting:
    admission: Admission
    user: User

    def __enter__(self) -> None:
        self.admission.wait(self.user)

    def __exit__(self, *_: object) -> None:
        self.admission.wait_no_more(self.user)
