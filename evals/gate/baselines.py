"""Making a baseline of results that are accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evals.results import Baseline, CaseRecord, Results

FEWEST = 5
"""Repeats of a case; with fewer the simulation says nothing about the gate."""


class Unfit(Exception):
    """Results that cannot be a baseline; the message says why."""


def make_baseline(name: str, runs: Sequence[Results], *, fewest: int = FEWEST) -> Baseline:
    """A baseline of one or several runs of the same thing.

    Raises:
        Unfit: The runs differ in what was tried, a case has too few repeats, or a critical case has ever failed.
    """
    first = runs[0]
    for other in runs[1:]:
        if other.identity != first.identity or {c.name: c.digest for c in other.cases} != {
            c.name: c.digest for c in first.cases
        }:
            raise Unfit("The runs differ in model, prompt, code, sampling or cases; a baseline is of one thing.")
    counting = [sample for run in runs for sample in run.samples if sample.counts]
    repeats = Counter(sample.case for sample in counting)
    passed = Counter(sample.case for sample in counting if sample.passed)
    problems = [
        f"case {case.name!r} was tried {repeats[case.name]} times, and {fewest} are needed"
        for case in first.cases
        if repeats[case.name] < fewest
    ] + [
        f"critical case {case.name!r} failed {repeats[case.name] - passed[case.name]} of {repeats[case.name]} times"
        for case in first.cases
        if case.critical and passed[case.name] < repeats[case.name]
    ]
    if problems:
        more = f", and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise Unfit("These results cannot be a baseline: " + "; ".join(problems[:5]) + more + ".")
    return Baseline(
        name=name,
        identity=first.identity,
        made=max(run.ended or run.started for run in runs),
        cases={
            case.name: CaseRecord(
                digest=case.digest,
                passed=passed[case.name],
                repeats=repeats[case.name],
                tags=case.tags,
                critical=case.critical,
            )
            for case in sorted(first.cases, key=lambda case: case.name)
        },
    )
