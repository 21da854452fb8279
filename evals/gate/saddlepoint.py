"""How likely a sum of independent, discrete values is to come out so high: Lugannani and Rice's approximation.

Source: R. Lugannani, S. Rice: Saddle point approximation for the distribution of the sum of independent random
variables. Advances in Applied Probability 12 (1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, log, pi, sqrt

STEEPEST = 8.0
STEPS = 60
NEAR_ENOUGH = 1e-7  # before the last step, which squares the error
NEAR_THE_MEAN = 0.2  # standard deviations: the formula is singular there, and nothing is decided there


@dataclass(frozen=True, slots=True)
class Part:
    """`times` independent values, each of `values` with its chance."""

    times: int
    chances: Sequence[float]
    values: Sequence[float]


def upper_tail(parts: Sequence[Part], total: float) -> float:
    """P(sum >= total). At or below the mean it is 0.5: such a sum is no evidence."""
    if _cumulants(parts, 0.0)[1] >= total:
        return 0.5
    low, high, theta = 0.0, STEEPEST, 0.5
    for _ in range(STEPS):
        _, first, second = _cumulants(parts, theta)
        low, high = (theta, high) if first < total else (low, theta)
        newton = theta + (total - first) / max(second, 1e-300)
        last, theta = theta, newton if low < newton < high else (low + high) / 2
        if abs(theta - last) < NEAR_ENOUGH:
            break
    k, _, second = _cumulants(parts, theta)
    w = sqrt(max(2 * (theta * total - k), 0))
    if w < NEAR_THE_MEAN:
        return 0.5
    if theta > STEEPEST - 0.01:
        return exp(-(w**2) / 2)  # Chernoff's bound
    p = below(-w) + exp(-(w**2) / 2) / sqrt(2 * pi) * (1 / (theta * sqrt(second)) - 1 / w)
    return min(max(p, 0.0), 1.0)


def below(z: float) -> float:
    """The normal distribution function."""
    return 0.5 * erfc(-z / sqrt(2))


def _cumulants(parts: Sequence[Part], theta: float) -> tuple[float, float, float]:
    k = first = second = 0.0
    for part in parts:
        tilted = [chance * exp(theta * value) for chance, value in zip(part.chances, part.values, strict=True)]
        norm = sum(tilted)
        mean = sum(t * v for t, v in zip(tilted, part.values, strict=True)) / norm
        square = sum(t * v * v for t, v in zip(tilted, part.values, strict=True)) / norm
        k += part.times * log(norm)
        first += part.times * mean
        second += part.times * (square - mean**2)
    return k, first, second
