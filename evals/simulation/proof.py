"""That the simulated decision is the gate's own: both are asked about the same random histories."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from evals.gate.decide import Verdict, decide
from evals.gate.evidence import Evidence, History, weigh
from evals.gate.plan import make_plan, runs_of_each
from evals.gate.prior import fit
from evals.simulation import twin
from evals.simulation.suites import SHAPES, after

NEAR = 1e-6


def worst_difference(suites: int, draw: Generator, *, cases: int, repeats: int) -> tuple[float, int, int]:
    """The largest difference of any evidence, how many verdicts differ, and how many histories led to an alarm."""
    shape = SHAPES[str(draw.choice(list(SHAPES)))]
    rates = shape(draw, suites, cases, float(draw.uniform(0.55, 0.97)))
    now = after(draw, rates, "uniform" if draw.random() < 0.5 else "concentrated", float(draw.uniform(0, 0.2)))
    plan = make_plan(cases, repeats)
    look = int(draw.integers(len(plan.runs) // 2))
    runs = np.array(runs_of_each(cases, plan.runs[look]))
    baseline, failed = draw.binomial(repeats, 1 - rates), draw.binomial(runs, 1 - now)
    all_at_once = twin.evidence(twin.fit(baseline, repeats), baseline, failed, runs, repeats)
    worst, different, alarms = 0.0, 0, 0
    for suite in range(suites):
        theirs = Evidence(*(float(values[suite]) for values in all_at_once))
        counts = [int(s) for s in baseline[suite]]
        histories = [History(s, repeats, int(f), int(k)) for s, f, k in zip(counts, failed[suite], runs, strict=True)]
        ours = weigh(fit([(s, repeats) for s in counts]), histories)
        gaps = (ours.same - theirs.same, ours.dropped - theirs.dropped, ours.broken - theirs.broken)
        worst = max(worst, *(abs(gap) for gap in gaps))
        verdicts: tuple[Verdict | None, ...] = decide(plan, look, ours), decide(plan, look, theirs)
        different += verdicts[0] != verdicts[1]
        alarms += verdicts[0] == "regressed"
    return worst, different, alarms
