"""What a search engine does for us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page found; `snippet` is the engine's excerpt of it. All of it is text that strangers wrote."""

    title: str
    url: str
    snippet: str


class Search(Protocol):
    async def search(self, query: str, *, limit: int) -> list[SearchResult]:
        """Pages about `query`, best first.

        Raises:
            Unavailable: The engine does not answer, or not as it should.
        """
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...
