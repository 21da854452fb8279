"""What the failures so far say about two claims: nothing changed, and the mean pass rate fell by `DROP`.

For each case the baseline foretells how often it fails now: its posterior, under the prior of its suite, is averaged
over. Two kinds of drop are thought of: every case falls by as much ("broad"), or some break altogether ("broken").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from evals.gate.prior import RATES, Prior, Weights, fallen, likelihood
from evals.gate.rule import BROKEN_PASSES, DROP
from evals.gate.saddlepoint import Part, upper_tail


@dataclass(frozen=True, slots=True)
class History:
    """Of one case: failures and repeats in the baseline, failures and runs now."""

    failures: int
    repeats: int
    failed: int
    runs: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """How likely what was seen, or worse, is if nothing changed (`same`); how likely this or better is after a broad
    drop (`dropped`); log odds of broken cases against no change (`broken`)."""

    same: float
    dropped: float
    broken: float


class Foretold:
    """What the baseline foretells of one kind of case: chances and log likelihood ratios for 0, 1, ... failures."""

    def __init__(self, prior: Prior, failures: int, repeats: int, runs: int) -> None:
        then = likelihood(RATES, failures, repeats)
        posterior = _posterior(prior.weights, then)
        drop = min(DROP, prior.mean / 2)
        share = drop / prior.mean
        same = _averaged(posterior, RATES, runs)
        after_drop = _floored(fallen(prior.weights, drop))
        broad = _averaged(posterior, after_drop, runs)
        half = _averaged(posterior, _floored(fallen(prior.weights, drop / 2)), runs)
        dead = [likelihood((BROKEN_PASSES,), f, runs)[0] for f in range(runs + 1)]
        both = range(runs + 1)
        nodes = [_posterior(weights, then) for _, weights in prior.nodes]
        self.same_chances = [_averaged(node, RATES, runs) for node in nodes]
        self.broad_chances = [_averaged(node, after_drop, runs) for node in nodes]
        self.mixed = [log(((1 - share / 2) * half[f] + share / 2 * dead[f]) / same[f]) for f in both]
        self.broad = [log(broad[f] / same[f]) for f in both]
        self.broken = [log(((1 - share) * same[f] + share * dead[f]) / same[f]) for f in both]


def weigh(prior: Prior, histories: Sequence[History]) -> Evidence:
    """The evidence of a suite whose baseline has this prior. At least one case must have run."""
    kinds = Counter((h.failures, h.repeats, h.runs) for h in histories if h.runs)
    foretold = {kind: Foretold(prior, *kind) for kind in sorted(kinds)}
    total = broad = broken = 0.0
    for h in histories:
        if not h.runs:
            continue
        case = foretold[h.failures, h.repeats, h.runs]
        total += case.mixed[h.failed]
        broad += case.broad[h.failed]
        broken += case.broken[h.failed]
    same = dropped = 0.0
    for node, (weight, _) in enumerate(prior.nodes):
        unchanged = [Part(kinds[kind], case.same_chances[node], case.mixed) for kind, case in foretold.items()]
        worse = [
            Part(kinds[kind], case.broad_chances[node], [-r for r in case.broad]) for kind, case in foretold.items()
        ]
        same += weight * upper_tail(unchanged, total)
        dropped += weight * upper_tail(worse, -broad)
    return Evidence(same, dropped, broken)


def _posterior(weights: Weights, then: Weights) -> list[float]:
    joint = [w * c for w, c in zip(weights, then, strict=True)]
    total = sum(joint)
    return [value / total for value in joint]


def _averaged(posterior: Sequence[float], rates: Weights, runs: int) -> list[float]:
    return [sum(w * c for w, c in zip(posterior, likelihood(rates, f, runs), strict=True)) for f in range(runs + 1)]


def _floored(rates: Weights) -> Weights:
    return tuple(max(p, BROKEN_PASSES) for p in rates)
