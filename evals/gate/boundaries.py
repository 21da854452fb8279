"""How strong the evidence must be at each look, so that all looks together err no more often than is allowed.

The looks are correlated, because they share runs and the baseline. With information b k / (b + k) after k epochs
against b repeats, the statistic moves like a Brownian motion, and the crossing probabilities follow by integrating
from look to look.

Source: C. Jennison, B. W. Turnbull: Group Sequential Methods (2000), chapter 19; K. K. G. Lan, D. L. DeMets:
Discrete sequential boundaries for clinical trials. Biometrika 70 (1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import exp, pi, sqrt
from statistics import NormalDist

from evals.gate.saddlepoint import below

POINTS = 161
FAR = 6.0  # standard deviations
HALVINGS = 40


@lru_cache(maxsize=256)
def nominal_levels(information: Sequence[float], spent: Sequence[float]) -> tuple[float, ...]:
    """The one-sided level at each look.

    Args:
        information: At each look; rising.
        spent: The chance of having crossed at this look or an earlier one, if there is nothing to be found.
    """
    edge = NormalDist().inv_cdf(1 - spent[0]) * sqrt(information[0])
    levels = [spent[0]]
    points, step = _grid(information[0], edge)
    mass = [exp(-(x**2) / 2 / information[0]) / sqrt(2 * pi * information[0]) * w for x, w in _weighed(points, step)]
    for look in range(1, len(information)):
        gained = sqrt(information[look] - information[look - 1])
        edge = _edge(points, mass, gained, spent[look] - spent[look - 1], FAR * 1.5 * sqrt(information[look]))
        levels.append(below(-edge / sqrt(information[look])))
        if look + 1 == len(information):
            break
        new, step = _grid(information[look], edge)
        scale = 1 / gained / sqrt(2 * pi)
        mass = [
            w * scale * sum(m * exp(-(((y - x) / gained) ** 2) / 2) for x, m in zip(points, mass, strict=True))
            for y, w in _weighed(new, step)
        ]
        points = new
    return tuple(levels)


def _edge(points: Sequence[float], mass: Sequence[float], gained: float, spend: float, far: float) -> float:
    low, high = 0.0, far
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        crossed = sum(m * below((x - middle) / gained) for x, m in zip(points, mass, strict=True))
        low, high = (middle, high) if crossed > spend else (low, middle)
    return high


def _grid(information: float, edge: float) -> tuple[list[float], float]:
    low = -FAR * sqrt(information)
    step = (edge - low) / (POINTS - 1)
    return [low + step * i for i in range(POINTS)], step


def _weighed(points: Sequence[float], step: float) -> list[tuple[float, float]]:
    """Each point with its weight in Simpson's rule."""
    last = len(points) - 1
    return [(x, step / 3 * (1 if i in (0, last) else 4 if i % 2 else 2)) for i, x in enumerate(points)]
