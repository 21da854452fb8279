"""The typed values that a conversation holds, each with the most trusted place it was seen in."""

from __future__ import annotations

from collections.abc import Iterable

from agent.grounding.text import canonical
from tools.origin import STRONGEST_FIRST, Origin, strongest

MAX_VALUES = 200  # of one type


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

    def dump(self) -> dict[str, dict[str, str]]:
        return {kind: {value: str(origin) for value, origin in values.items()} for kind, values in self._values.items()}

    @classmethod
    def load(cls, data: dict[str, dict[str, str]]) -> Known:
        known = cls()
        known._values = {
            kind: {value: Origin.parse(origin) for value, origin in values.items()} for kind, values in data.items()
        }
        return known
