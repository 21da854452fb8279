"""The numbers of the gate's rule. The simulation is the reason for each: change one, and run it again."""

from __future__ import annotations

DROP = 0.10
"""The drop of the mean pass rate that is to be found."""
BROKEN_PASSES = 0.004
"""How often a broken case still passes."""
ALARMS = 0.044
"""False alarms over all looks. Less than the 5% that are promised, because the prior is fitted."""
MISSES = 0.103
"""Drops called a pass over all looks. Up to 570 cases, `misses` makes less of it than the 10% that may be missed,
because runs can end without a verdict, too; so many cases tell at the first look."""
BROKEN_ODDS = -1.0
"""A pass needs log odds below this for 'some cases are broken': 1 to 2.7."""
LOOKS = (1.0, 1.08, 1.15, 1.22, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""When the gate may decide, in epochs."""
MAX_RUNS = 480


def alarms(cases: int, repeats: float) -> float:
    """What may be spent on false alarms: less where few cases or repeats leave the prior uncertain."""
    return ALARMS * max(0.5, 1 - 10 / cases) * max(0.5, 1 - 0.5 / repeats)


def misses(cases: int) -> float:
    """What may be spent on drops called a pass: less where few cases let more runs end without a verdict."""
    return MISSES * max(0.4, 1 - 16.5 / cases)


def at_first(cases: int, held_back: float) -> float:
    """The share that is spent after the first epoch; a small suite keeps more of it for later."""
    return max(0.3, 1 - held_back / cases)


ALARMS_HELD, MISSES_HELD = 26, 9
