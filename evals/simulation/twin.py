"""The gate's decision on many suites at once, in numpy: the same formulas as `evals/gate/evidence.py`.

A test holds the two together on thousands of random histories. Here every case of a suite has as many baseline repeats
as the others; arrays are [suite, case] or, for tables, [suite, baseline failures, failures now].
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from evals.gate import prior
from evals.gate.prior import CONCENTRATIONS, HALVINGS, NODES, ROUNDS, SMOOTHING
from evals.gate.rule import BROKEN_PASSES, DROP
from evals.gate.saddlepoint import NEAR_ENOUGH, NEAR_THE_MEAN, STEEPEST, STEPS

RATES = np.asarray(prior.RATES)
FIRST_GUESS = 0.5  # of a saddlepoint

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Part = tuple[Ints, Floats, Floats]
"""Cases of each kind, chances, values: [suite, s], [suite, s, f], [suite, s, f]."""


@dataclass(frozen=True)
class Priors:
    """Of each suite: how likely each of `RATES` is, [suite, rate]; `nodes`: the same with the mean moved."""

    weights: Floats
    nodes: list[tuple[float, Floats]]


def fit(failures: Ints, repeats: int) -> Priors:
    """As `prior.fit`."""
    cases = failures.shape[1]
    counts = np.stack([(failures == s).sum(1) for s in range(repeats + 1)], 1)
    chance = _likelihood(RATES, repeats)  # [s, rate]
    mean = 1 - (failures.sum(1) + 0.5) / (cases * repeats + 1)
    betas: list[Floats] = []
    for c in CONCENTRATIONS:
        up, down = mean * c, (1 - mean) * c
        log = (up - 0.5)[:, None] * np.log(RATES) + (down - 0.5)[:, None] * np.log1p(-RATES)
        beta = np.exp(log - log.max(1, keepdims=True))
        betas.append(beta / beta.sum(1, keepdims=True))
    fits = np.stack([(counts * np.log(beta @ chance.T)).sum(1) for beta in betas])
    shares = np.exp(fits - fits.max(0))
    smooth = np.einsum("cs,csr->sr", shares / shares.sum(0), np.stack(betas))
    weights, worth = smooth, SMOOTHING / sqrt(repeats)
    for _ in range(ROUNDS):
        share = counts / (weights @ chance.T)
        weights = (weights * (share @ chance) + worth * smooth) / (cases + worth)
    return Priors(weights, _nodes(weights, cases, repeats))


def _nodes(weights: Floats, cases: int, repeats: int) -> list[tuple[float, Floats]]:
    mean, square = weights @ RATES, weights @ RATES**2
    error = np.sqrt((square - mean**2 + (mean - square) / repeats) / cases)
    return [(share, _moved(weights, mean + step * error)) for step, share in NODES]


def _moved(weights: Floats, mean: Floats) -> Floats:
    low, high = np.full(len(weights), -50.0), np.full(len(weights), 50.0)
    moved = weights
    for _ in range(HALVINGS):
        tilt = (low + high) / 2
        moved = weights * np.exp(tilt[:, None] * RATES)
        moved = moved / moved.sum(1, keepdims=True)
        under = moved @ RATES < mean
        low, high = np.where(under, tilt, low), np.where(under, high, tilt)
    return moved


def _likelihood(rates: Floats, runs: int) -> Floats:
    """P(f failures in `runs`), [f, rate]; for rates [suite, rate], [suite, f, rate]."""
    f = np.arange(runs + 1)[:, None]
    p = rates[..., None, :]
    return np.array([comb(runs, i) for i in range(runs + 1)])[:, None] * p ** (runs - f) * (1 - p) ** f


def _fallen(weights: Floats, drop: Floats) -> Floats:
    """The rates after each fell by as much as lets the mean fall by `drop`, [suite, rate]."""
    low, high = np.zeros(len(weights)), np.ones(len(weights))
    for _ in range(HALVINGS):
        by = (low + high) / 2
        under = (weights * np.minimum(RATES, by[:, None])).sum(1) < drop
        low, high = np.where(under, by, low), np.where(under, high, by)
    return np.maximum(RATES - high[:, None], BROKEN_PASSES)


@dataclass(frozen=True)
class Tables:
    """For one number of runs: chances under no change and after a broad drop (for each node), and log likelihood ratios
    [suite, s, f]."""

    same_chances: list[tuple[float, Floats]]
    broad_chances: list[tuple[float, Floats]]
    mixed: Floats
    broad: Floats
    broken: Floats


def tables(priors: Priors, repeats: int, runs: int) -> Tables:
    now = _likelihood(RATES, runs)
    then = _likelihood(RATES, repeats)
    posterior = _posterior(priors.weights, then)
    same = posterior @ now.T
    mean = priors.weights @ RATES
    drop = np.minimum(DROP, mean / 2)
    after_drop = _likelihood(_fallen(priors.weights, drop), runs)
    broad = _foretold(posterior, after_drop)
    half = _foretold(posterior, _likelihood(_fallen(priors.weights, drop / 2), runs))
    dead = _likelihood(np.array([BROKEN_PASSES]), runs)[:, 0]
    share = (drop / mean)[:, None, None]
    nodes = [(weight, _posterior(at, then)) for weight, at in priors.nodes]
    return Tables(
        [(weight, at @ now.T) for weight, at in nodes],
        [(weight, _foretold(at, after_drop)) for weight, at in nodes],
        np.log(((1 - share / 2) * half + share / 2 * dead) / same),
        np.log(broad / same),
        np.log(((1 - share) * same + share * dead) / same),
    )


def _posterior(weights: Floats, then: Floats) -> Floats:
    """P(rate | s failures in the baseline), [suite, s, rate]."""
    joint = weights[:, None, :] * then
    return joint / joint.sum(2, keepdims=True)


def _foretold(posterior: Floats, chance: Floats) -> Floats:
    return posterior @ chance.transpose(0, 2, 1)


def evidence(
    priors: Priors,
    baseline: Ints,
    failed: Ints,
    runs: Ints,
    repeats: int,
    *,
    alarm: float = 0.0,
    odds: float = float("inf"),
) -> tuple[Floats, Floats, Floats]:
    """As `evidence.weigh`, for each suite: p of no change, p of a broad drop, log odds of broken cases.

    Where the first is at most `alarm` or the third above `odds`, nothing hangs on the second: it is 1, to save time.

    Args:
        baseline: Failures of each case in the baseline, [suite, case].
        failed: Failures now.
        runs: Runs of each case now, [case]; the same for every suite.
    """
    suites = len(baseline)
    rows: Ints = np.arange(suites)[:, None]
    total, broad, broken = (np.zeros(suites) for _ in range(3))
    groups: list[tuple[Ints, Tables]] = []
    for k in sorted(set(runs.tolist()) - {0}):
        table = tables(priors, repeats, k)
        x, y = baseline[:, runs == k], failed[:, runs == k]
        total += table.mixed[rows, x, y].sum(1)
        broad += table.broad[rows, x, y].sum(1)
        broken += table.broken[rows, x, y].sum(1)
        groups.append((np.stack([(x == s).sum(1) for s in range(repeats + 1)], 1), table))
    same, dropped, theta = np.zeros(suites), np.ones(suites), np.full(suites, FIRST_GUESS)
    for node, (weight, _) in enumerate(priors.nodes):
        same += weight * _tail([(count, t.same_chances[node][1], t.mixed) for count, t in groups], total, theta)
    undecided: Ints = np.flatnonzero((same > alarm) & (broken <= odds))
    dropped[undecided], theta = 0, np.full(len(undecided), FIRST_GUESS)
    for node, (weight, _) in enumerate(priors.nodes):
        parts = _only([(count, t.broad_chances[node][1], -t.broad) for count, t in groups], undecided)
        dropped[undecided] += weight * _tail(parts, -broad[undecided], theta)
    return same, dropped, broken


def _tail(parts: list[Part], total: Floats, theta: Floats) -> Floats:
    """As `saddlepoint.upper_tail`. Looks for the saddlepoints near `theta`, and leaves there what it found."""
    p = np.full(len(total), 0.5)
    above = np.flatnonzero(_cumulants(parts, np.zeros(len(total)))[1] < total)
    if len(above):
        p[above], theta[above] = _tail_above(_only(parts, above), total[above], theta[above])
    return p


def _only(parts: list[Part], suites: Ints) -> list[Part]:
    return [(count[suites], chance[suites], weight[suites]) for count, chance, weight in parts]


def _tail_above(parts: list[Part], total: Floats, guess: Floats) -> tuple[Floats, Floats]:
    low, high, theta = np.zeros(len(total)), np.full(len(total), STEEPEST), guess.copy()
    left: Ints = np.arange(len(total))
    for _ in range(STEPS):
        at = theta[left]
        _, first, second = _cumulants(parts if len(left) == len(total) else _only(parts, left), at)
        under = first < total[left]
        low[left], high[left] = np.where(under, at, low[left]), np.where(under, high[left], at)
        newton = at + (total[left] - first) / np.maximum(second, 1e-300)
        within = (newton > low[left]) & (newton < high[left])
        theta[left] = np.where(within, newton, (low[left] + high[left]) / 2)
        left = left[np.abs(theta[left] - at) >= NEAR_ENOUGH]
        if not len(left):
            break
    k, _, second = _cumulants(parts, theta)
    w = np.sqrt(np.maximum(2 * (theta * total - k), 0))
    u = theta * np.sqrt(second)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = _below(-w) + np.exp(-(w**2) / 2) / sqrt(2 * np.pi) * (1 / u - 1 / w)
    p = np.where(theta > STEEPEST - 0.01, np.exp(-(w**2) / 2), p)
    return np.where(w < NEAR_THE_MEAN, 0.5, np.clip(p, 0, 1)), theta


def _cumulants(parts: list[Part], theta: Floats) -> tuple[Floats, Floats, Floats]:
    k, first, second = (np.zeros(len(theta)) for _ in range(3))
    for count, chance, weight in parts:
        tilted = chance * np.exp(theta[:, None, None] * weight)
        weighted = tilted * weight
        norm = np.einsum("asf->as", tilted)  # several times as fast as .sum(2) where f is short
        mean = np.einsum("asf->as", weighted) / norm
        square = np.einsum("asf,asf->as", weighted, weight) / norm
        k += (count * np.log(norm)).sum(1)
        first += (count * mean).sum(1)
        second += (count * (square - mean**2)).sum(1)
    return k, first, second


_erfc = np.vectorize(erfc, otypes=[float])


def _below(z: Floats) -> Floats:
    return 0.5 * _erfc(-z / sqrt(2))
