"""How alike two texts are, where words are the product: a summary, a reminder.

chrF, the F-score of character n-grams, weighs no meaning: "Pay" and "Do not pay" are alike to it, as they are to
embeddings (.93 to .95, measured). It needs no model of 246 MB, gives the same number everywhere, and follows inflected
languages. So it stands beside the typed checks and never decides alone.

Source: Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation".
"""

from __future__ import annotations

from collections import Counter

LONGEST = 6  # characters of a gram
BETA = 2.0  # recall counts twice as much as precision


def chrf(said: str, wanted: str) -> float:
    """From 0, nothing in common, to 1, the same letters."""
    scores = [score for n in range(1, LONGEST + 1) if (score := _score(_grams(said, n), _grams(wanted, n))) is not None]
    return sum(scores) / len(scores) if scores else 0.0


def _grams(text: str, n: int) -> Counter[str]:
    letters = "".join(text.casefold().split())
    return Counter(letters[start : start + n] for start in range(len(letters) - n + 1))


def _score(said: Counter[str], wanted: Counter[str]) -> float | None:
    """None where neither text is long enough."""
    if not said and not wanted:
        return None
    common = (said & wanted).total()
    if not common:
        return 0.0
    precision, recall = common / said.total(), common / wanted.total()
    return (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)
