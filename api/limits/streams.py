"""How many streams one user, key or address may have open in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from api.problems import Problem

RETRY_AFTER = 5  # seconds; nobody knows when a stream ends


class Lease:
    """The right to one open stream. Close it once."""

    def __init__(self, streams: Streams | None, whose: Mapping[str, str]) -> None:
        self._streams = streams
        self._whose = whose

    def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams.give_back(self._whose)


class Streams:
    """The open streams of this process."""

    def __init__(self, bounds: Mapping[str, int]) -> None:
        self._bounds = bounds
        self._open: Counter[tuple[str, str]] = Counter()

    def open(self, whose: Mapping[str, str]) -> Lease:
        """Take one of each kind.

        Raises:
            Problem: 429 `too_many_streams`.
        """
        for kind, name in whose.items():
            if self._open[kind, name] >= self._bounds[kind]:
                raise Problem(
                    429,
                    "too_many_streams",
                    f"Too many open streams: each {kind} may have {self._bounds[kind]}.",
                    headers={"Retry-After": str(RETRY_AFTER)},
                )
        self._open.update(whose.items())
        return Lease(self, whose)

    def give_back(self, whose: Mapping[str, str]) -> None:
        for one in whose.items():
            self._open[one] -= 1
            if not self._open[one]:
                del self._open[one]
