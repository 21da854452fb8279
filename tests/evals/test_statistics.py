"""The statistics against published values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evals.results import Sample
from evals.stats.agreement import cohens_kappa, gwets_ac1, raw_agreement
from evals.stats.rates import clustered_error, holm, paired_difference, pass_all_k, pass_at_k, quantile, wilson
from evals.stats.scores import by_tag, scores


@pytest.mark.parametrize(
    ("passed", "tried", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_as_in_newcombe_1998(passed: int, tried: int, low: float, high: float):
    assert wilson(passed, tried) == pytest.approx((low, high), abs=5e-5)


def test_nothing_tried_is_nothing_known():
    assert wilson(0, 0) == (0.0, 1.0)


def test_pass_at_k_and_pass_all_k_are_what_counting_the_choices_gives():
    assert pass_at_k(5, 2, 2) == pytest.approx(0.7)
    assert pass_all_k(5, 2, 2) == pytest.approx(0.1)
    assert pass_at_k(5, 5, 5) == pass_all_k(5, 5, 5) == 1
    with pytest.raises(ValueError, match="between 1 and the 3 tries"):
        pass_at_k(3, 1, 4)


def test_repeats_that_always_agree_are_worth_one():
    once = clustered_error([[1.0], [0.0], [1.0], [1.0]])
    assert clustered_error([[1.0] * 9, [0.0] * 9, [1.0] * 9, [1.0] * 9]) == pytest.approx(once)
    assert once == pytest.approx((0.75 * 0.25 / 4) ** 0.5)


def test_a_paired_difference_has_the_interval_of_its_differences():
    mean, low, high = paired_difference([(1.0, 0.9), (0.5, 0.3), (0.8, 0.8)])
    assert mean == pytest.approx(-0.1)
    assert (high - low) / 2 == pytest.approx(1.959964 * 0.1 / 3**0.5)


def test_holm_adjusts_as_in_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_quantile_is_a_value_that_was_there():
    assert [quantile(range(1, 21), share) for share in (0.5, 0.95, 1.0)] == [10, 19, 20]
    assert quantile([3.0], 0.95) == 3.0


def test_agreement_beyond_chance_as_published():
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert raw_agreement(pairs) == pytest.approx(0.7)
    assert cohens_kappa(pairs) == pytest.approx(0.4)
    assert gwets_ac1(pairs) == pytest.approx(0.4059, abs=1e-4)


def test_ac1_stays_sane_where_nearly_everything_passes_and_kappa_does_not():
    pairs = [(True, True)] * 118 + [(True, False)] * 5 + [(False, True)] * 2
    assert cohens_kappa(pairs) < 0
    assert gwets_ac1(pairs) > 0.9


def sample(case: str, outcome: str, **more: object) -> Sample:
    return Sample.model_validate({"case": case, "epoch": 1, "outcome": outcome, **more})


def test_scores_leave_out_what_could_not_be_tried():
    found = scores(
        [
            sample("a", "passed", calls=2, valid_calls=2, seconds=1.0, cost=Decimal("0.01"), tags=("x",)),
            sample("a", "failed", calls=2, valid_calls=1, seconds=3.0, cost=Decimal("0.02")),
            sample("b", "passed", seconds=2.0),
            sample("b", "infrastructure", seconds=99.0),
        ]
    )
    assert found is not None
    assert (found.cases, found.tried, found.passed, found.not_tried) == (2, 3, 2, 1)
    assert (found.valid_calls, found.right_arguments, found.cost) == (0.75, None, Decimal("0.03"))
    assert (found.p50, found.p95) == (2.0, 3.0)
    assert (found.at_k, found.all_k) == ({1: 0.75}, {1: 0.75})


def test_nothing_tried_has_no_scores():
    assert scores([sample("a", "infrastructure")]) is None


def test_a_case_counts_under_each_of_its_tags():
    tagged = by_tag([sample("a", "passed", tags=("x", "y")), sample("b", "failed", tags=("y",))])
    assert {tag: len(samples) for tag, samples in tagged.items()} == {"x": 1, "y": 2}
