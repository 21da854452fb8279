"""The typed values that a conversation holds, each with the most trusted place it was seen in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

from agent.grounding.text import canonical
from tools.origin import STRONGEST_FIRST, Origin, strongest

MAX_VALUES = 200  # of one type
SHORTEST = 4  # characters of a value that is looked for in a text
LONG = 8  # letters and digits from which a value is recognised whatever stands between them
_BETWEEN = re.compile(r"[\W_]+")


class Known:
    """Values by type, the latest seen last. A full type forgets its least trusted, oldest value first."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Origin]] = {}

    def add(self, kind: str, value: str, origin: Origin) -> None:
        value = canonical(kind, value)
        values = self._values.setdefault(kind, {})
        before = values.pop(value, None)
        values[value] = origin if before is None else strongest((before, origin))
        if len(values) > MAX_VALUES:
            del values[max(values, key=lambda known: STRONGEST_FIRST.index(values[known].kind))]

    def values(self, kind: str, *, without: Iterable[str] = (), only: Origin | None = None) -> list[str]:
        """Wire forms of what is known of `kind`, the oldest first."""
        left_out = set(without)
        known = self._values.get(kind, {}).items()
        return [value for value, origin in known if value not in left_out and only in (None, origin)]

    def origin(self, kind: str, value: str) -> Origin | None:
        """Where a value of exactly this type came from; None when nothing known holds it."""
        return self._values.get(kind, {}).get(canonical(kind, value))

    def within(self, text: str) -> Iterator[tuple[str, Origin]]:
        """Values that `text` holds as whole words, but for the person's own; short ones are found in any text."""
        text = unquote_plus(text) if "%" in text else text  # as in an address
        squeezed = _bare(text)
        if len(squeezed) < SHORTEST:
            return
        words = f" {_words(text)} "
        for kind, values in self._values.items():
            for value, origin in values.items():
                if kind == "number" or origin.kind == "user" or len(value) < SHORTEST:
                    continue
                bare = _bare(value)
                if bare in squeezed and (len(bare) >= LONG or f" {_words(value)} " in words):
                    yield value, origin

    def dump(self) -> dict[str, dict[str, str]]:
        return {kind: {value: str(origin) for value, origin in values.items()} for kind, values in self._values.items()}

    @classmethod
    def load(cls, data: dict[str, dict[str, str]]) -> Known:
        known = cls()
        known._values = {
            kind: {value: Origin.parse(origin) for value, origin in values.items()} for kind, values in data.items()
        }
        return known


@lru_cache(maxsize=4_096)
def _words(text: str) -> str:
    """Letters and digits in lower case, one blank where there was anything else."""
    return _BETWEEN.sub(" ", text.casefold()).strip()


@lru_cache(maxsize=4_096)
def _bare(text: str) -> str:
    """Nothing but its letters and digits, in lower case."""
    return _BETWEEN.sub("", text.casefold())
