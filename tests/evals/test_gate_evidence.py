"""The evidence says what was seen, and the simulated decision is the gate's own."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from evals.gate.decide import broken_promises, decide
from evals.gate.evidence import Evidence, History, weigh
from evals.gate.plan import make_plan
from evals.gate.prior import RATES, fallen, fit
from evals.gate.saddlepoint import Part, upper_tail
from evals.simulation.proof import NEAR, worst_difference
from evals.simulation.suites import SHAPES, after
from evals.simulation.trials import Cell, try_cell

RELIABLE = [(0, 20)] * 50 + [(10, 20)] * 10


def test_the_tail_of_a_binomial_is_met_between_its_strict_and_its_full_tail():
    part = Part(60, (0.9, 0.1), (0.0, 1.0))
    tail = [comb(60, k) * 0.1**k * 0.9 ** (60 - k) for k in range(61)]
    for seen in (9, 12, 16):
        assert sum(tail[seen + 1 :]) < upper_tail([part], seen) < sum(tail[seen:])


def test_what_does_not_exceed_the_mean_is_no_evidence():
    assert upper_tail([Part(60, (0.9, 0.1), (0.0, 1.0))], 6) == 0.5


def test_a_prior_keeps_the_mean_of_the_baseline_and_knows_how_sure_it_is():
    prior = fit(RELIABLE)
    assert prior.mean == pytest.approx(550 / 600, abs=0.02)
    means = [sum(w * p for w, p in zip(weights, RATES, strict=True)) for _, weights in prior.nodes]
    assert min(means) < prior.mean < max(means)
    assert sum(share * mean for (share, _), mean in zip(prior.nodes, means, strict=True)) == pytest.approx(prior.mean)


def test_the_order_of_the_cases_changes_nothing_where_they_were_tried_unequally_often():
    counts = [(0, 5)] * 20 + [(1, 5)] * 10 + [(2, 20)] * 10
    there, back = fit(counts), fit(counts[::-1])
    assert back.weights == pytest.approx(there.weights)
    for (share, weights), (other_share, others) in zip(there.nodes, back.nodes, strict=True):
        assert (other_share, others) == (share, pytest.approx(weights))


def test_a_fallen_suite_has_fallen_by_exactly_that_much():
    prior = fit(RELIABLE)
    rates = [max(p, 0) for p in fallen(prior.weights, 0.1)]
    assert sum(w * p for w, p in zip(prior.weights, rates, strict=True)) == pytest.approx(prior.mean - 0.1, abs=1e-6)


def histories(failing: int) -> list[History]:
    """Of a suite as the baseline knew it, but `failing` of its reliable cases fail."""
    return [History(s, b, int(i < failing) if s == 0 else i % 2, 1) for i, (s, b) in enumerate(RELIABLE)]


def test_more_failures_are_more_evidence_of_a_drop():
    seen = [weigh(fit(RELIABLE), histories(failing)) for failing in (0, 2, 4, 8)]
    assert [e.same for e in seen] == sorted((e.same for e in seen), reverse=True)
    assert [e.dropped for e in seen] == sorted(e.dropped for e in seen)
    assert [e.broken for e in seen] == sorted(e.broken for e in seen)


def test_the_same_as_before_passes_after_one_epoch_and_six_broken_cases_are_found():
    plan = make_plan(60, 20)
    assert decide(plan, 0, weigh(fit(RELIABLE), histories(0))) == "pass"
    assert decide(plan, 0, weigh(fit(RELIABLE), histories(6))) == "regressed"


def test_the_last_look_ends_without_a_verdict_where_the_evidence_gives_none():
    plan = make_plan(60, 20, max_runs=60)
    assert decide(plan, 0, Evidence(same=0.2, dropped=0.5, broken=0.0)) == "inconclusive"
    assert decide(make_plan(60, 20), 0, Evidence(same=0.2, dropped=0.5, broken=0.0)) is None


def test_a_pass_needs_broken_cases_to_be_unlikely_too():
    assert decide(make_plan(60, 20), 0, Evidence(same=0.2, dropped=0.001, broken=0.0)) is None


def test_a_critical_case_that_failed_once_is_named():
    assert broken_promises(frozenset({"a", "b"}), ["c", "b", "b"]) == ["b"]


def test_the_simulated_decision_is_the_gates_own():
    draw = np.random.default_rng()
    for cases, repeats in ((9, 5), (14, 20), (25, 5)):
        worst, different, _ = worst_difference(40, draw, cases=cases, repeats=repeats)
        assert worst < NEAR
        assert different == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("change", ["uniform", "concentrated"])
def test_simulated_suites_have_the_mean_and_the_drop_they_should(shape: str, change: str):
    draw = np.random.default_rng()
    rates = SHAPES[shape](draw, 500, 60, 0.85)
    fallen_rates = after(draw, rates, "uniform" if change == "uniform" else "concentrated", 0.1)
    assert rates.mean() == pytest.approx(0.85, abs=0.01)
    assert (rates.mean(1) - fallen_rates.mean(1)).tolist() == pytest.approx([0.1] * 500, abs=1e-6)
    assert fallen_rates.min() >= 0


@pytest.mark.parametrize("at_once", [1, 8])
def test_a_few_hundred_gates_err_no_more_than_they_may(at_once: int):
    """A small simulation for every day; `make evals-simulation` is the whole one."""
    draw = np.random.default_rng()
    same = try_cell(Cell("u-shaped", 60, 0.85, 20, "none", at_once), 400, draw)
    worse = try_cell(Cell("u-shaped", 60, 0.85, 20, "uniform", at_once), 400, draw)
    assert same.regressed < 0.05 + 4 * (0.05 * 0.95 / 400) ** 0.5
    assert worse.regressed > 0.90 - 4 * (0.9 * 0.1 / 400) ** 0.5
    assert max(same.runs, worse.runs) < 75


def test_cases_that_fail_one_time_in_a_hundred_are_not_taken_for_better_than_they_are():
    """A prior that keeps too close to a Beta distribution alarms in 8% of such suites."""
    same = try_cell(Cell("three kinds", 120, 0.95, 20, "none"), 3000, np.random.default_rng())
    assert same.regressed < 0.06


def test_few_cases_and_few_repeats_find_a_drop_nevertheless():
    worse = try_cell(Cell("three kinds", 30, 0.60, 5, "uniform"), 1000, np.random.default_rng())
    assert worse.regressed > 0.90 - 4 * (0.9 * 0.1 / 1000) ** 0.5
