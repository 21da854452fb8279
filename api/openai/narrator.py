"""A run's events as the text of one answer: what a person reads, whole and without repetition."""

from __future__ import annotations

from typing import Any

import orjson

from agent.records import StoredEvent


class Narrator:
    """Turns events into text as they come.

    Text of different steps is set apart. When another process took the run over, what was told since the last event is
    told again; here that is left out as far as it is the same.
    """

    def __init__(self) -> None:
        self._said = False
        self._apart = False
        self._since = ""  # text since the last event that is not a token
        self._void = ""  # what may be told again
        self._again = ""  # what has been told again so far

    def read(self, event: StoredEvent) -> str:
        """What of this event is to be read."""
        if event.type == "token":
            return self._token(orjson.loads(event.data)["text"])
        if event.type == "run.resumed":
            self._void, self._again = self._since, ""
        elif event.type == "guard":
            return ""
        elif event.type == "message":
            missing = self._missing(orjson.loads(event.data)["text"])
            self._since = ""
            return missing
        else:
            self._apart = self._apart or self._said
            self._since = self._void = self._again = ""
        return ""

    def _token(self, text: str) -> str:
        if self._void:
            self._again += text
            if self._void.startswith(self._again):
                return ""
            fresh = self._again.removeprefix(self._void) if self._again.startswith(self._void) else None
            self._void, again = "", self._again
            self._since = again
            return f"\n\n{again}" if fresh is None else fresh
        self._since += text
        gap = "\n\n" if self._apart else ""
        self._apart, self._said = False, True
        return gap + text

    def _missing(self, whole: str) -> str:
        """After a crash the end of an answer may come only as the whole of it."""
        if not self._void:
            return "" if self._since else self._token(whole)
        told = self._void if len(self._again) < len(self._void) else self._again
        self._void = self._again = ""
        return whole.removeprefix(told) if whole.startswith(told) else f"\n\n{whole}"


class StopAt:
    """Ends a text before the first of some sequences; holds back what may be the beginning of one."""

    def __init__(self, stops: list[str]) -> None:
        self._stops = stops
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """What may be read of the text so far."""
        if not self._stops or self.stopped:
            return "" if self.stopped else text
        self._held += text
        ends = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if ends:
            self.stopped = True
            return self._held[: min(ends)]
        keep = max(_beginning(self._held, stop) for stop in self._stops)
        out, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return out

    def finish(self) -> str:
        """Nothing follows: what was held back."""
        return "" if self.stopped else self._held


def _beginning(text: str, stop: str) -> int:
    """Length of the longest end of `text` with which `stop` could begin."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)


def finished(event: StoredEvent) -> dict[str, Any] | None:
    """The data of the run's end, if this event is one."""
    return orjson.loads(event.data) if event.type == "run.finished" else None
