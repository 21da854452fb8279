"""What output guards are made of: a look that follows values of a certain form through an answer as it grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

from agent.guarding import NOTHING, Look, Sight


@cache
def beginning(literal: str) -> str:
    """A pattern for every beginning of `literal`, as far as it goes."""
    pattern = ""
    for character in reversed(literal):
        pattern = re.escape(character) + (f"(?:{pattern})?" if pattern else "")
    return pattern


def beginnings(literals: Iterable[str]) -> str:
    """A pattern for every beginning of any of `literals`."""
    return _any_beginning(tuple(literals))


@cache
def _any_beginning(literals: tuple[str, ...]) -> str:
    return "|".join(map(beginning, literals))


def starts(literals: Iterable[str]) -> str:
    """A pattern for where any of `literals` may start: its first two characters, or the first where the text ends."""
    second: dict[str, set[str]] = {}
    for literal in literals:
        second.setdefault(literal[0], set()).add(re.escape(literal[1]))
    return "|".join(rf"{re.escape(first)}(?:[{''.join(sorted(then))}]|\Z)" for first, then in sorted(second.items()))


@lru_cache(maxsize=256)  # Python's own cache is shared with everything else that compiles patterns
def _patterns(wakes: str, begins: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(wakes), re.compile(rf"(?:{begins})\Z")


def follow(
    *,
    wakes: str,
    begins: str,
    value: re.Pattern[str],
    judge: Callable[[re.Match[str]], str | None],
    waits: Callable[[re.Match[str]], bool] | None = None,
) -> Look:
    """A look that holds back what may be the beginning of a value until the value is whole, and then judges it.

    Args:
        wakes: A pattern for the first character of a value, or for a later one before which nothing was held back: text
            without any is not looked at more closely. It may look behind.
        begins: A pattern for what could be the beginning of a value, if the answer ended there.
        value: A whole value. It says by itself what must follow: at the answer's end a line feed does.
        waits: Says whether a beginning is worth waiting for; every one is, if not given.
        judge: Says why a value is forbidden, or None. It may look at the text before the value, `match.string`.
    """
    waking, open_ = _patterns(wakes, begins)
    held = 0

    def look(text: str, fresh: int, /) -> Sight:
        nonlocal held
        if not held and waking.search(text, len(text) - fresh) is None:
            return NOTHING
        start = max(len(text) - fresh - held, 0)
        for match in value.finditer(text, start):
            if (reason := judge(match)) is not None:
                return Sight(refused=reason)
        begun = open_.search(text, start)
        while begun is not None and waits is not None and not waits(begun):
            begun = open_.search(text, begun.start() + 1)
        held = len(text) - begun.start() if begun is not None else 0
        return Sight(hold=held) if held else NOTHING

    return look
