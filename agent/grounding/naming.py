"""Which things the person has named: by an identifier of theirs, or by a name, number or address in a record of them.

An identifier that a look-up found is as good as a record, but whoever made the model look chose it. What the person
named, or what a call of this conversation made, is theirs: a document that says "and invoice Globex as well" can have
the model find Globex, and cannot make the person have said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Self

from agent.grounding.walk import Leaf
from tools.names import normalize

MAX_THINGS = 500  # of which names are remembered
SHORTEST = 3  # characters of the longest word of a name; "AB" may be any two letters
_NAMES = re.compile(r"(?:.*_)?name|number|sku|email|tax_id|endpoint")  # fields by which people name what a record is of
_ITS_OWN = ("id", "number")  # fields that say what a record itself is
_NOT_ITS_OWN = re.compile(r"order_.*|product_.*")  # the other side's words for it, or of a part of it


class Naming:
    """Names of things by identifier, and what was made in this conversation."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._made: list[str] = []

    def observe(self, found: Sequence[Leaf], *, given: Iterable[str], effect: bool) -> None:
        """A record was shown.

        Args:
            found: Its leaves.
            given: The call's arguments: what it was given it did not make.
            effect: The call changed the world.
        """
        ours = set(given)
        holders: dict[int, list[Leaf]] = {}
        for leaf in found:
            holders.setdefault(id(leaf.holder), []).append(leaf)
        for leaves in holders.values():
            names = [str(leaf.value) for leaf in leaves if _is_name(leaf)]
            for leaf in leaves:
                if leaf.mark is None or not leaf.mark.startswith("ref:"):
                    continue
                identifier = str(leaf.value)
                new = identifier not in self._names and identifier not in ours
                known = self._names.pop(identifier, [])
                self._names[identifier] = [*known, *(name for name in names if name not in known)][-8:]
                if effect and new and leaf.field in _ITS_OWN:
                    self._made = [*self._made, identifier][-MAX_THINGS:]
        while len(self._names) > MAX_THINGS:
            del self._names[next(iter(self._names))]

    def is_named(self, identifier: str, said: Sequence[str]) -> bool:
        """Whether the person's words name it, or it was made here.

        Args:
            identifier: As a tool takes it.
            said: What the person said.
        """
        if identifier in self._made:
            return True
        names = self._names.get(identifier)
        if not names:
            return False
        words = frozenset[str]().union(*map(_words, said))
        return any(_is_said(name, words) for name in names)

    def dump(self) -> dict[str, Any]:
        return {"names": self._names, "made": self._made}

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        naming = cls()
        naming._names = {identifier: list(names) for identifier, names in data.get("names", {}).items()}
        naming._made = list(data.get("made", ()))
        return naming


def _is_name(leaf: Leaf) -> bool:
    return (
        isinstance(leaf.value, str)
        and not leaf.others
        and _NAMES.fullmatch(leaf.field) is not None
        and _NOT_ITS_OWN.fullmatch(leaf.field) is None
    )


def _is_said(name: str, words: frozenset[str]) -> bool:
    """Whether every word of the name was said, whatever stands between; legal forms may be left out."""
    parts = _words(name)
    return bool(parts) and max(map(len, parts)) >= SHORTEST and parts <= words


@lru_cache(maxsize=4_096)
def _words(text: str) -> frozenset[str]:
    """Its words, in the form in which names are compared, singular and plural alike."""
    return frozenset(map(_stem, normalize(text).split()))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > SHORTEST and word.endswith("s") else word
