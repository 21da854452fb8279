"""Which things were one of several that fitted, and whether the person said which of them.

A look-up that finds two customers called Duff leaves a choice, and it is the person's: the reference that the model
picks comes from a record either way. It is theirs where their words say what only this record holds (a number, an
amount, another word of the name), where every word of its name was said and not of another's, or where they said how to
choose: all, the oldest, the first, yes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

from agent.grounding.naming import words_of
from agent.grounding.walk import Leaf, by_holder

MAX_CHOICES = 4  # results that are remembered
MAX_THINGS = 50  # of one result; more than a person is asked to choose from
_OWN = ("id", "number", "sku", "name", "email")  # fields whose words are what a record is called
_IDENTIFIERS = ("id", "number")
# Words that say how to choose, or that nothing is left to choose. Missing ones cost a question.
_CHOOSING = frozenset(
    """all any anything both each either every everything whatever what owes owed rest remaining others
    invoices bills drafts payments
    first second third fourth fifth last latest newest oldest earliest recent next previous former latter
    largest smallest biggest highest lowest cheapest dearest
    yes yeah yep ok okay sure right correct exactly that this those these same
    alle alles beide beiden jede jeden jedes ganze rechnungen entwürfe zahlungen erste ersten zweite zweiten letzte
    letzten neueste neuesten älteste ältesten größte größten kleinste kleinsten ja genau richtig diese diesen dieses
    tout toute tous toutes chaque factures premier première second seconde deuxième dernier dernière ancienne récente
    oui cette
    todo toda todos todas ambas ambos cada facturas primera primero segunda última último antigua reciente sí esta
    tutto tutta tutti tutte entrambe entrambi ogni fatture prima primo seconda ultima ultimo vecchia recente sì questa
    allemaal elke facturen eerste tweede laatste oudste nieuwste deze""".split()
)
_WORD = re.compile(r"[^\W\d_]+")


class Choices:
    """Results that held several things of one kind."""

    def __init__(self) -> None:
        self._choices: list[list[_Thing]] = []

    def observe(self, found: Sequence[Leaf]) -> None:
        """A look-up's result was shown: its leaves."""
        kinds: dict[str, list[_Thing]] = {}
        for leaves in by_holder(found):
            own = next((leaf for leaf in leaves if leaf.field == "id" and (leaf.mark or "").startswith("ref:")), None)
            if own is not None and own.mark is not None:
                kinds.setdefault(own.mark, []).append(_Thing.of(leaves))
        several = [things[:MAX_THINGS] for things in kinds.values() if len(things) > 1]
        self._choices = [*self._choices, *several][-MAX_CHOICES:]

    def is_open(self, identifier: str, said: Sequence[str]) -> bool:
        """Whether the thing is one of several, and the person's words do not say which of them.

        Args:
            identifier: As a tool takes it.
            said: What the person said, the latest last.
        """
        for things in reversed(self._choices):
            chosen = next((thing for thing in things if identifier in thing.identifiers), None)
            if chosen is not None:
                words = frozenset[str]().union(*map(words_of, said))
                others = [thing for thing in things if thing is not chosen]
                return not _says_how(said[-1:]) and not all(chosen.is_meant_before(other, words) for other in others)
        return False

    def dump(self) -> list[Any]:
        return [[thing.dump() for thing in things] for things in self._choices]

    @classmethod
    def load(cls, data: list[Any]) -> Self:
        choices = cls()
        choices._choices = [[_Thing(*thing) for thing in things] for things in data]
        return choices


class _Thing:
    """A record: what tools take for it, what it is called, and the words of all that it says."""

    def __init__(self, identifiers: list[str], called: list[list[str]], words: list[str]) -> None:
        self.identifiers = identifiers
        self._called = [frozenset(one) for one in called]
        self._words = frozenset(words)

    @classmethod
    def of(cls, leaves: Sequence[Leaf]) -> _Thing:
        texts = [leaf for leaf in leaves if isinstance(leaf.value, str)]
        return cls(
            [str(leaf.value) for leaf in texts if leaf.field in _IDENTIFIERS],
            [sorted(words_of(str(leaf.value))) for leaf in texts if leaf.field in _OWN],
            sorted(frozenset[str]().union(*(words_of(str(leaf.value)) for leaf in texts))),
        )

    def is_meant_before(self, other: _Thing, said: frozenset[str]) -> bool:
        """Whether what was said holds of this and not of the other, or all that this is called was said."""
        if (self._words & said) - (other._words & said):
            return True
        return self._is_called(said) and not other._is_called(said)

    def _is_called(self, said: frozenset[str]) -> bool:
        return any(one and one <= said for one in self._called)

    def dump(self) -> list[Any]:
        return [self.identifiers, [sorted(one) for one in self._called], sorted(self._words)]


def _says_how(said: Sequence[str]) -> bool:
    return any(word in _CHOOSING for text in said for word in _WORD.findall(text.lower()))
