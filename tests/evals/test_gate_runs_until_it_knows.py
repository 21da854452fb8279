"""The gate asks for what it needs, decides on whole blocks, and compares only like with like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from evals.gate.baselines import Unfit, make_baseline
from evals.gate.compare import Different, comparable
from evals.gate.recorded import Recorded
from evals.gate.run import TRIES, Judged, Options, judge
from evals.results import Results, Sample
from tests.support.bernoulli_cases import IDENTITY, BernoulliCases, baseline_of, suite

CASES = suite()
BASELINE = baseline_of(CASES)
NOW = datetime(2026, 11, 25, tzinfo=UTC)


async def test_an_unchanged_suite_passes_after_one_full_epoch():
    sampler = BernoulliCases(CASES)
    judged = await judge(sampler, BASELINE, Options())
    assert (judged.verdict, judged.cause) == ("pass", "evidence")
    assert sampler.asked == {(case.name, 1): 1 for case in CASES}


async def test_six_broken_cases_of_sixty_are_a_regression():
    broken = {case.name: 0.0 for case in CASES[10:16]}
    judged = await judge(BernoulliCases(CASES, broken), BASELINE, Options())
    assert (judged.verdict, judged.cause) == ("regressed", "evidence")
    assert judged.looks[-1].evidence.same <= judged.looks[-1].alarm


def test_what_failed_least_in_the_baseline_comes_first_in_each_epoch():
    """A failure of such a case says most, and from the second epoch on a block may end within an epoch."""
    passed = {case.name: 20 - i % 4 for i, case in enumerate(CASES)}
    records = {name: r.model_copy(update={"passed": passed[name]}) for name, r in BASELINE.cases.items()}
    names = comparable(BASELINE.model_copy(update={"cases": records}), IDENTITY, CASES, frozenset())
    assert [passed[name] for name in names] == [20] * 15 + [19] * 15 + [18] * 15 + [17] * 15
    assert names[:15] != sorted(names[:15])


@pytest.mark.parametrize("seed", range(12))
async def test_how_many_run_at_once_changes_nothing_of_the_verdict(seed: int):
    """Failures arrive last, so a gate that looked at what came first would see a better suite."""
    rates = {case.name: 0.88 for case in CASES}
    baseline = baseline_of(CASES, passed=19)

    async def of(at_once: int) -> tuple[Judged, BernoulliCases]:
        sampler = BernoulliCases(CASES, rates, seed=seed)
        return await judge(sampler, baseline, Options(at_once=at_once)), sampler

    (one, _), (eight, sampler) = await of(1), await of(8)
    assert sampler.most_at_once == 8
    assert (one.verdict, one.looks, one.samples) == (eight.verdict, eight.looks, eight.samples)


async def test_a_critical_case_that_fails_once_is_a_regression_whatever_the_others_do():
    cases = suite(critical=2)
    judged = await judge(BernoulliCases(cases, {"case_001": 0.0}), baseline_of(cases), Options())
    assert (judged.verdict, judged.cause, judged.critical_failed) == ("regressed", "critical", ("case_001",))
    other = await judge(BernoulliCases(CASES, {"case_001": 0.0}), baseline_of(CASES, passed=19), Options())
    assert other.verdict == "pass"


async def test_what_was_away_is_asked_for_again_and_is_neither_pass_nor_fail():
    sampler = BernoulliCases(CASES, away={"case_007": TRIES - 1})
    judged = await judge(sampler, BASELINE, Options(at_once=4))
    assert judged.verdict == "pass"
    assert sampler.asked["case_007", 1] == TRIES


async def test_what_stays_away_leaves_no_verdict():
    sampler = BernoulliCases(CASES, away={"case_007": 99})
    judged = await judge(sampler, BASELINE, Options(at_once=4))
    assert (judged.verdict, judged.cause, judged.not_tried) == ("inconclusive", "infrastructure", ("case_007",))
    assert sampler.asked["case_007", 1] == TRIES


async def test_the_allowed_runs_are_never_exceeded():
    sampler = BernoulliCases(CASES, {case.name: 0.0 for case in CASES[:13]})
    judged = await judge(sampler, baseline_of(CASES, passed=17), Options(max_runs=60))
    assert sum(sampler.asked.values()) == 60
    assert (judged.verdict, judged.cause) == ("inconclusive", "runs")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"suite": "other"}, "of suite 'office', the run of 'other'"),
        ({"model_digest": "sha256:2"}, "the model was scripted:x"),
        ({"sampling": {"temperature": 0.7}}, "sampling was"),
    ],
)
async def test_different_things_are_not_compared_and_nothing_is_run(change: dict[str, object], what: str):
    sampler = BernoulliCases(CASES, identity=IDENTITY.model_copy(update=change))
    with pytest.raises(Different, match=what):
        await judge(sampler, BASELINE, Options())
    assert not sampler.asked


async def test_a_change_that_is_meant_is_judged():
    identity = IDENTITY.model_copy(update={"model_digest": "sha256:2", "prompt_hash": "p2"})
    judged = await judge(BernoulliCases(CASES, identity=identity), BASELINE, Options(meant=frozenset({"model"})))
    assert judged.verdict == "pass"
    assert [line.partition(":")[0] for line in judged.changes] == ["Prompt", "Model"]


async def test_other_cases_are_refused_and_those_in_common_compared_where_that_is_meant():
    cases = [*CASES[:50], CASES[50].model_copy(update={"digest": "changed"}), *suite(70)[60:]]
    with pytest.raises(
        Different, match=r"9 cases are not in the run.*10 cases are not in the baseline.*1 cases are not"
    ):
        await judge(BernoulliCases(cases), BASELINE, Options())
    sampler = BernoulliCases(cases)
    await judge(sampler, BASELINE, Options(meant=frozenset({"cases"})))
    assert {case for case, _ in sampler.asked} == {case.name for case in CASES[:50]}


async def test_a_critical_case_that_is_unreliable_in_the_baseline_is_refused():
    cases = suite(critical=1)
    with pytest.raises(Different, match="critical case 'case_000' passed only 19 of 20"):
        await judge(BernoulliCases(cases), baseline_of(cases, passed=19), Options())


def recorded(epochs: int, rates: dict[str, float] | None = None) -> Results:
    sampler = BernoulliCases(CASES, rates)
    samples: list[Sample] = []
    for epoch in range(1, epochs + 1):
        for case in CASES:
            coroutine = sampler.run(case.name, epoch)
            try:
                while True:
                    coroutine.send(None)
            except StopIteration as end:
                samples.append(end.value)
    return Results(identity=IDENTITY, cases=tuple(CASES), started=NOW, samples=tuple(samples))


async def test_stored_results_are_judged_as_live_ones_are():
    judged = await judge(Recorded(recorded(1, {c.name: 0.0 for c in CASES[:6]})), BASELINE, Options())
    assert judged.verdict == "regressed"


async def test_stored_results_that_are_too_few_leave_no_verdict():
    results = recorded(1)
    judged = await judge(
        Recorded(results.model_copy(update={"samples": results.samples[:-1]})), BASELINE, Options(at_once=8)
    )
    assert (judged.verdict, judged.cause) == ("inconclusive", "runs")


def test_a_baseline_counts_every_repeat_of_several_runs():
    baseline = make_baseline("main", [recorded(3), recorded(2, {"case_000": 0.0})])
    assert baseline.cases["case_000"].passed == 3
    assert {record.repeats for record in baseline.cases.values()} == {5}


def test_a_baseline_of_too_few_repeats_or_of_different_things_is_refused():
    with pytest.raises(Unfit, match="was tried 4 times, and 5 are needed"):
        make_baseline("main", [recorded(4)])
    other = recorded(5).model_copy(update={"identity": IDENTITY.model_copy(update={"code_version": "def"})})
    with pytest.raises(Unfit, match="a baseline is of one thing"):
        make_baseline("main", [recorded(5), other])


def test_a_critical_case_that_ever_failed_keeps_results_from_being_a_baseline():
    results = recorded(5, {"case_000": 0.5})
    cases = (CASES[0].model_copy(update={"critical": True}), *CASES[1:])
    with pytest.raises(Unfit, match="critical case 'case_000' failed"):
        make_baseline("main", [results.model_copy(update={"cases": cases})])
