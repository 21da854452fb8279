"""The numbers of the gate's rule. The simulation is the reason for each: change one, and run it again."""

from __future__ import annotations

DROP = 0.10
"""The drop of the mean pass rate that is to be found."""
BROKEN_PASSES = 0.004
"""How often a broken case still passes."""
ALARMS = 0.045
"""False alarms over all looks. Less than the 5% that are promised, because the prior is fitted."""
MISSES = 0.115
"""Drops called a pass, by a normal approximation that errs on the safe side; half of it is seen."""
BROKEN_ODDS = -2.3
"""A pass needs log odds below this for 'some cases are broken': 1 to 10."""
LOOKS = (1.0, 1.15, 1.3, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""When the gate may decide, in epochs."""
MAX_RUNS = 480


def alarms(cases: int, repeats: float) -> float:
    """What may be spent on false alarms: less where few cases or repeats leave the prior uncertain."""
    return ALARMS * max(0.5, 1 - 5 / cases) * max(0.5, 1 - 0.4 / repeats)


def at_first(cases: int, held_back: float) -> float:
    """The share that is spent after the first epoch; a small suite keeps more of it for later."""
    return max(0.5, 1 - held_back / cases)


ALARMS_HELD, MISSES_HELD = 6, 9
