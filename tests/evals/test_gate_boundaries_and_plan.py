"""How strong evidence must be at each look, against published boundaries and by simulation."""

from __future__ import annotations

import random
from statistics import NormalDist

import pytest

from evals.gate.boundaries import nominal_levels
from evals.gate.plan import make_plan, runs_of_each


def test_one_look_may_spend_everything():
    assert nominal_levels((1.0,), (0.05,)) == (0.05,)


def test_pocock_like_spending_gives_the_published_boundaries():
    """Five equal looks, one-sided 2.5%, alpha ln(1 + (e-1)t): Jennison and Turnbull, and the R package ldbounds."""
    levels = nominal_levels((0.2, 0.4, 0.6, 0.8, 1.0), (0.00738, 0.013081, 0.017728, 0.021649, 0.025))
    z = [NormalDist().inv_cdf(1 - level) for level in levels]
    assert z == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=0.004)


def test_all_looks_together_err_as_often_as_was_allowed():
    information, spent = (0.8, 1.0, 1.5, 2.5), (0.03, 0.035, 0.04, 0.05)
    edges = [
        NormalDist().inv_cdf(1 - level) * i**0.5
        for level, i in zip(nominal_levels(information, spent), information, strict=True)
    ]
    draw, crossed, walks = random.Random(7), 0, 40_000
    for _ in range(walks):
        at = before = 0.0
        for now, edge in zip(information, edges, strict=True):
            at += draw.gauss(0, (now - before) ** 0.5)
            before = now
            if at > edge:
                crossed += 1
                break
    assert crossed / walks == pytest.approx(0.05, abs=0.004)


def test_the_first_look_is_after_a_full_epoch_and_the_last_within_the_allowed_runs():
    plan = make_plan(60, 20)
    assert plan.runs[0] == 60
    assert plan.runs[-1] == 480
    assert make_plan(187, 5, max_runs=100).runs == (187,)


def test_suites_that_are_judged_together_share_the_false_alarms():
    assert make_plan(60, 20, suites=4).alarm[0] == pytest.approx(make_plan(60, 20).alarm[0] / 4)


def test_a_small_suite_may_err_less_and_keeps_more_of_it_for_later():
    small, large = make_plan(30, 20, max_runs=30), make_plan(120, 20, max_runs=120)
    assert small.alarm[0] < large.alarm[0]
    assert small.miss[0] < large.miss[0]
    assert make_plan(30, 20).alarm[0] / small.alarm[0] < make_plan(120, 20).alarm[0] / large.alarm[0]


def test_the_schedule_gives_every_case_as_many_runs_give_or_take_one():
    assert runs_of_each(4, 6) == [2, 2, 1, 1]
