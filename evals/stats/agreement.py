"""How far two judges of the same things agree."""

from __future__ import annotations

from collections.abc import Sequence


def raw_agreement(pairs: Sequence[tuple[bool, bool]]) -> float:
    """The share of things that both judged alike."""
    return sum(a == b for a, b in pairs) / len(pairs)


def cohens_kappa(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Agreement beyond chance; 1 where both gave the same verdict to everything.

    Source: J. Cohen, Educational and Psychological Measurement 20 (1960).
    """
    first, second = (sum(p[i] for p in pairs) / len(pairs) for i in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return 1.0 if chance == 1 else (raw_agreement(pairs) - chance) / (1 - chance)


def gwets_ac1(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Agreement beyond chance that stays meaningful where nearly everything passes.

    Source: K. L. Gwet, British Journal of Mathematical and Statistical Psychology 61 (2008).
    """
    share = sum(a + b for a, b in pairs) / (2 * len(pairs))
    chance = 2 * share * (1 - share)
    return (raw_agreement(pairs) - chance) / (1 - chance)
