"""An answer does not insult or threaten: a small list, whole words. A classifier may be asked besides; it only advises.

The list is short on purpose: a word that is an insult in one sentence and a name or a product in another is not on it.
"""

from __future__ import annotations

import re

from agent.following import beginnings, follow, starts
from agent.guarding import Classifier, GuardContext, Look, OutputGuard, Sight

FORBIDDEN = (
    "arschloch", "asshole", "bastard", "bitch", "bullshit", "cunt", "drop dead", "fick dich", "fuck", "fucking",
    "go to hell", "halt die fresse", "hurensohn", "i will kill you", "kill yourself", "motherfucker", "retard",
    "scumbag", "shit", "shut up", "stupid idiot", "whore", "wichser", "you idiot", "you moron",
)  # fmt: skip
_WHOLE = re.compile(rf"(?<!\w)(?:{'|'.join(FORBIDDEN)})(?=\W)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s")
_LONGEST = 1_000  # characters of a sentence that a classifier is given


def watch(context: GuardContext) -> Look:
    """Watches one answer for what nobody should be told."""
    words = follow(
        wakes=rf"(?<!\w)(?i:{starts(FORBIDDEN)})",
        begins=rf"(?<!\w)(?i:{beginnings(FORBIDDEN)})",
        value=_WHOLE,
        judge=_rude,
    )
    return words if context.classify is None else _classified(words, context.classify)


def _rude(match: re.Match[str]) -> str:
    del match
    return "The answer is rude."


def _classified(words: Look, classify: Classifier) -> Look:
    sentence = ""

    def look(text: str, fresh: int, /) -> Sight:
        nonlocal sentence
        sight = words(text, fresh)
        sentence = (sentence + text[len(text) - fresh :])[-_LONGEST:]
        if not (fresh and _SENTENCE_END.search(sentence)):
            return sight
        *whole, sentence = _SENTENCE_END.split(sentence)
        found = [said for one in whole if one.strip() and (said := classify(one.strip()))]
        return Sight(sight.hold, sight.refused, "; ".join(found)) if found else sight

    return look


guard = OutputGuard("language_is_civil", watch)
