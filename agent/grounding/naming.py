"""Which things the person has named: by an identifier of theirs, or by a name, number or address in a record of them.

People shorten the names of companies: "Oscorp" is Oscorp Medical ApS. The first word of a customer's name names it
where it is written as a name, with a capital that its place in the sentence does not give it, and where no other
customer that was seen is called so. Products are not named so: "Office" is no office chair.

An identifier that a look-up found is as good as a record, but whoever made the model look chose it. What the person
named, or what a call of this conversation made, is theirs: a document that says "and invoice Globex as well" can have
the model find Globex, and cannot make the person have said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Self

from agent.grounding.walk import Leaf, by_holder
from tools.names import normalize

MAX_THINGS = 500  # of which names are remembered
SHORTEST = 3  # characters of the longest word of a name; "AB" may be any two letters
_NAMES = re.compile(r"(?:.*_)?name|number|sku|email|tax_id|endpoint")  # fields by which people name what a record is of
_ITS_OWN = ("id", "number")  # fields that say what a record itself is
_NOT_ITS_OWN = re.compile(r"order_.*|product_.*")  # the other side's words for it, or of a part of it
_PARTY = "ref:customer"  # whose names people shorten
_SHORT = 4  # letters of the shortest such first word
_STARTS = re.compile(r"(?:\A|[.!?\n])[\s\W]*\w+")  # the first word of a sentence, which has a capital in any case
_CAPITALISED = re.compile(r"\b[^\W\d_]\w*")


class Naming:
    """Names of things by identifier, whole names of customers, and what was made in this conversation."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._parties: list[str] = []
        self._proper: list[str] = []
        self._made: list[str] = []

    def observe_user(self, text: str) -> None:
        """The person's words: which of them are written as names."""
        if text == text.upper():  # capitals say nothing where there is nothing else
            return
        inner = _STARTS.sub(lambda start: " " * len(start[0]), text)
        for word in _CAPITALISED.findall(inner):
            if word[0].isupper():
                self._proper = [*self._proper, *(words_of(word) - {*self._proper})][-MAX_THINGS:]

    def observe(self, found: Sequence[Leaf], *, given: Iterable[str], effect: bool) -> None:
        """A record was shown.

        Args:
            found: Its leaves.
            given: The call's arguments: what it was given it did not make.
            effect: The call changed the world.
        """
        ours = set(given)
        for leaves in by_holder(found):
            names = [str(leaf.value) for leaf in leaves if _is_name(leaf)]
            parties = [str(leaf.value) for leaf in leaves if _is_party(leaf)]
            self._parties = [*self._parties, *(name for name in parties if name not in self._parties)][-MAX_THINGS:]
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
        if self.was_made(identifier):
            return True
        names = self._names.get(identifier)
        if not names:
            return False
        words = frozenset[str]().union(*map(words_of, said))
        return any(_is_said(name, words) or self._is_called(name) for name in names)

    def was_made(self, identifier: str) -> bool:
        """Whether a call of this conversation brought it into the world."""
        return identifier in self._made

    def _is_called(self, name: str) -> bool:
        """Whether it is a customer's name whose first word was said as a name, and means no other customer."""
        if name not in self._parties or not (first := _first(name)) or first not in self._proper:
            return False
        return {words_of(other) for other in self._parties if first in words_of(other)} == {words_of(name)}

    def dump(self) -> dict[str, Any]:
        return {"names": self._names, "made": self._made, "parties": self._parties, "proper": self._proper}

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        naming = cls()
        naming._names = {identifier: list(names) for identifier, names in data.get("names", {}).items()}
        naming._made = list(data.get("made", ()))
        naming._parties = list(data.get("parties", ()))
        naming._proper = list(data.get("proper", ()))
        return naming


def _is_name(leaf: Leaf) -> bool:
    return (
        isinstance(leaf.value, str)
        and not leaf.others
        and _NAMES.fullmatch(leaf.field) is not None
        and _NOT_ITS_OWN.fullmatch(leaf.field) is None
    )


def _is_party(leaf: Leaf) -> bool:
    """Whether this is the name of a customer, in its own record or in one that tells whose it is."""
    own = leaf.holder_schema.get("properties", {}).get("id", {}).get("x-value")
    return _is_name(leaf) and (leaf.field == "customer_name" or (leaf.field == "name" and own == _PARTY))


def _first(name: str) -> str:
    """The first word of a name, as it is compared; empty where it is too short or no word."""
    first = normalize(name).partition(" ")[0]
    return _stem(first) if len(first) >= _SHORT and first.isalpha() else ""


def _is_said(name: str, words: frozenset[str]) -> bool:
    """Whether every word of the name was said, whatever stands between; legal forms may be left out."""
    parts = words_of(name)
    return bool(parts) and max(map(len, parts)) >= SHORTEST and parts <= words


@lru_cache(maxsize=4_096)
def words_of(text: str) -> frozenset[str]:
    """Its words, in the form in which names are compared, singular and plural alike."""
    return frozenset(map(_stem, normalize(text).split()))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > SHORTEST and word.endswith("s") else word
