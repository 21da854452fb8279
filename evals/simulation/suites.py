"""Suites as they could be: the pass rates of their cases, and what a drop does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.random import Generator

from evals.simulation.twin import Floats

Change = Literal["none", "uniform", "concentrated"]
HALVINGS = 40


def u_shaped(draw: Generator, suites: int, cases: int, mean: float) -> Floats:
    """Most cases pass nearly always, some nearly never, few in between: Beta with concentration 1."""
    return draw.beta(mean, 1 - mean, (suites, cases))


def three_kinds(draw: Generator, suites: int, cases: int, mean: float) -> Floats:
    """Reliable cases (99%), coin tosses and hopeless ones (5%); the last two take equal parts of what is missing."""
    missing = 0.99 - mean
    coins, hopeless = missing / 2 / 0.49, missing / 2 / 0.94
    kind = draw.random((suites, cases))
    return np.where(kind < coins, 0.5, np.where(kind < coins + hopeless, 0.05, 0.99))


def spread(draw: Generator, suites: int, cases: int, mean: float) -> Floats:
    """Pass rates of every size: Beta with concentration 3. The hardest to judge, as most cases pass now and then."""
    return draw.beta(3 * mean, 3 * (1 - mean), (suites, cases))


SHAPES: dict[str, Callable[[Generator, int, int, float], Floats]] = {
    "u-shaped": u_shaped,
    "three kinds": three_kinds,
    "spread": spread,
}


def after(draw: Generator, rates: Floats, change: Change, drop: float) -> Floats:
    """The pass rates after the mean of each suite fell by `drop`, exactly."""
    if change == "none":
        return rates
    return _everywhere(rates, drop) if change == "uniform" else _in_some(draw, rates, drop)


def _everywhere(rates: Floats, drop: float) -> Floats:
    """Each case falls by as much, but not below zero."""
    low, high = np.zeros(len(rates)), np.ones(len(rates))
    for _ in range(HALVINGS):
        by = (low + high) / 2
        under = np.minimum(rates, by[:, None]).mean(1) < drop
        low, high = np.where(under, by, low), np.where(under, high, by)
    return np.maximum(rates - high[:, None], 0)


def _in_some(draw: Generator, rates: Floats, drop: float) -> Floats:
    """Cases that mostly passed never pass again, one after the other, the last of them in part."""
    order = np.argsort(draw.random(rates.shape) + 10 * (rates < 0.5), 1)
    chosen = np.take_along_axis(rates, order, 1)
    before = np.cumsum(chosen, 1) - chosen
    lost = np.clip(drop * rates.shape[1] - before, 0, chosen)
    fallen = np.empty_like(rates)
    np.put_along_axis(fallen, order, chosen - lost, 1)
    return fallen
