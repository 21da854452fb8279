"""How the pass rates of a suite's cases are spread, as its baseline tells (empirical Bayes).

A case that passed 5 of 5 in a suite whose cases are mostly reliable is reliable; in a suite of middling cases it may
have been lucky. The spread is what tells the two apart: Beta distributions, each counting as much as it fits, bent
towards the counts by expectation maximisation, for suites that no Beta distribution describes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, exp, log, pi, sin, sqrt

Weights = tuple[float, ...]

RATES: Weights = tuple(sin(pi / 2 * (j + 0.5) / 32) ** 2 for j in range(32))
"""Pass rates that are told apart: close together near never and always."""
CONCENTRATIONS = (0.15, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 64.0)
"""Small: cases pass always or never; large: all cases are alike."""
ROUNDS, SMOOTHING = 30, 18.0
"""Of expectation maximisation; how many cases the Beta distributions count as, over the square root of the repeats: the
fewer these are, the less they show of the spread. 8 cases with 5 repeats, 4 with 20."""
NODES = (
    (-sqrt(5 + sqrt(10)), (7 - 2 * sqrt(10)) / 60),
    (-sqrt(5 - sqrt(10)), (7 + 2 * sqrt(10)) / 60),
    (0.0, 8 / 15),
    (sqrt(5 - sqrt(10)), (7 + 2 * sqrt(10)) / 60),
    (sqrt(5 + sqrt(10)), (7 - 2 * sqrt(10)) / 60),
)
"""Gauss-Hermite: what the suite's mean may be, in standard errors, and how much that counts."""
HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Prior:
    """How likely each of `RATES` is; `nodes`: the same with the mean moved as far as the baseline leaves open."""

    weights: Weights
    nodes: tuple[tuple[float, Weights], ...]

    @property
    def mean(self) -> float:
        return _dot(self.weights, RATES)


def fit(counts: Sequence[tuple[int, int]]) -> Prior:
    """The prior of cases with (failures, repeats) in the baseline."""
    kinds = Counter(counts)
    repeats = sum(b for _, b in counts) / len(counts)
    worth = SMOOTHING / sqrt(repeats)
    smooth = weights = _betas(kinds)
    for _ in range(ROUNDS):
        moved = [worth * w for w in smooth]
        for (failures, tries), cases in kinds.items():
            chance = likelihood(RATES, failures, tries)
            norm = cases / _dot(weights, chance)
            for j, w in enumerate(weights):
                moved[j] += w * chance[j] * norm
        weights = tuple(w / (len(counts) + worth) for w in moved)
    return Prior(weights, _nodes(weights, len(counts), repeats))


def _betas(kinds: Counter[tuple[int, int]]) -> Weights:
    """Beta distributions with the baseline's mean, averaged: each concentration counts as much as it fits."""
    failures = sum(s * n for (s, _), n in kinds.items())
    mean = 1 - (failures + 0.5) / (sum(b * n for (_, b), n in kinds.items()) + 1)
    betas = [_beta_weights(mean * c, (1 - mean) * c) for c in CONCENTRATIONS]
    fits = [sum(n * log(_dot(beta, likelihood(RATES, s, b))) for (s, b), n in kinds.items()) for beta in betas]
    shares = [exp(fit - max(fits)) for fit in fits]
    return tuple(_dot(shares, column) / sum(shares) for column in zip(*betas, strict=True))


def _beta_weights(up: float, down: float) -> Weights:
    logs = [(up - 0.5) * log(p) + (down - 0.5) * log(1 - p) for p in RATES]
    top = max(logs)
    raw = [exp(value - top) for value in logs]
    return tuple(value / sum(raw) for value in raw)


def _nodes(weights: Weights, cases: int, repeats: float) -> tuple[tuple[float, Weights], ...]:
    mean, square = _dot(weights, RATES), _dot(weights, [p * p for p in RATES])
    error = sqrt((square - mean**2 + (mean - square) / repeats) / cases)
    return tuple((share, _moved(weights, mean + step * error)) for step, share in NODES)


def _moved(weights: Weights, mean: float) -> Weights:
    """The distribution nearest to `weights` with that mean (exponential tilting)."""
    low, high = -50.0, 50.0
    moved = weights
    for _ in range(HALVINGS):
        tilt = (low + high) / 2
        raw = [w * exp(tilt * p) for w, p in zip(weights, RATES, strict=True)]
        total = sum(raw)
        moved = tuple(value / total for value in raw)
        if _dot(moved, RATES) < mean:
            low = tilt
        else:
            high = tilt
    return moved


def fallen(weights: Weights, drop: float) -> Weights:
    """The rates after each fell by as much as lets the mean fall by `drop`; none below zero."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        by = (low + high) / 2
        if _dot(weights, [min(p, by) for p in RATES]) < drop:
            low = by
        else:
            high = by
    return tuple(p - high for p in RATES)


@lru_cache(maxsize=4096)
def likelihood(rates: Weights, failures: int, runs: int) -> Weights:
    """How likely `failures` in `runs` are, for each rate."""
    ways = comb(runs, failures)
    return tuple(ways * p ** (runs - failures) * (1 - p) ** failures for p in rates)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
