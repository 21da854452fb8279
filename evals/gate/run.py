"""The gate: asks a sampler for one block of the schedule after the other, until it can decide.

It decides only when every run of a block is in, however many are under way at once. What comes first is never looked
at first: failures often take longer than passes (or less), and a rule that stops on early arrivals would be biased.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from evals.gate.compare import Change, changed, comparable
from evals.gate.decide import Verdict, broken_promises, decide
from evals.gate.evidence import Evidence, History, weigh
from evals.gate.plan import Plan, make_plan
from evals.gate.prior import fit
from evals.gate.rule import MAX_RUNS
from evals.results import Baseline, Sample, Sampler

TRIES = 3
"""How often a run that could not be tried is asked for."""
Cause = Literal["evidence", "critical", "infrastructure", "runs"]


class Exhausted(Exception):
    """Raised by a sampler that has no more samples: recorded results have an end."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was known at one look."""

    runs: int
    evidence: Evidence
    alarm: float
    miss: float


@dataclass(frozen=True, slots=True)
class Options:
    at_once: int = 1
    max_runs: int = MAX_RUNS
    suites: int = 1
    meant: frozenset[Change] = frozenset()
    on_sample: Callable[[Sample], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict and all it rests on.

    Attributes:
        cause: What decided: the evidence, a critical case, something away (`infrastructure`), or the end of the runs.
        samples: All that were asked for, in the order of the schedule, tries that could not be made among them.
        critical_failed: Critical cases that failed.
        not_tried: Cases that could not be tried.
    """

    verdict: Verdict
    cause: Cause
    baseline: Baseline
    sampler: Sampler
    plan: Plan
    looks: tuple[Look, ...]
    samples: tuple[Sample, ...]
    critical_failed: tuple[str, ...] = ()
    not_tried: tuple[str, ...] = ()

    @property
    def changes(self) -> list[str]:
        return changed(self.baseline, self.sampler.identity)


async def judge(sampler: Sampler, baseline: Baseline, options: Options) -> Judged:
    """Run cases until the verdict is clear or the plan is at its end.

    Raises:
        Different: The baseline is about something else.
    """
    names = comparable(baseline, sampler.identity, sampler.cases, options.meant)
    records = [baseline.cases[name] for name in names]
    critical = frozenset(case.name for case in sampler.cases if case.critical) | {
        name for name in names if baseline.cases[name].critical
    }
    repeats = sum(record.repeats for record in records) / len(records)
    plan = make_plan(len(names), repeats, suites=options.suites, max_runs=options.max_runs)
    prior = fit([(record.repeats - record.passed, record.repeats) for record in records])
    samples: list[Sample] = []
    looks: list[Look] = []

    def judged(
        verdict: Verdict, cause: Cause, *, critical: list[str] | None = None, away: list[str] | None = None
    ) -> Judged:
        return Judged(
            verdict,
            cause,
            baseline,
            sampler,
            plan,
            tuple(looks),
            tuple(samples),
            tuple(critical or ()),
            tuple(away or ()),
        )

    done = 0
    for look, runs in enumerate(plan.runs):
        wanted = [(names[i % len(names)], i // len(names) + 1) for i in range(done, runs)]
        if (block := await _block(sampler, wanted, options)) is None:
            return judged("inconclusive", "runs")
        samples += [sample for tries in block for sample in tries]
        done = runs
        if broken := broken_promises(critical, [sample.case for sample in samples if sample.outcome == "failed"]):
            return judged("regressed", "critical", critical=broken)
        if away := sorted({tries[-1].case for tries in block if not tries[-1].counts}):
            return judged("inconclusive", "infrastructure", away=away)
        evidence = weigh(prior, _histories(baseline, names, samples))
        looks.append(Look(runs, evidence, plan.alarm[look], plan.miss[look]))
        if (verdict := decide(plan, look, evidence)) is not None:
            return judged(verdict, "runs" if verdict == "inconclusive" else "evidence")
    raise AssertionError("the last look decides")


async def _block(sampler: Sampler, wanted: list[tuple[str, int]], options: Options) -> list[list[Sample]] | None:
    """Every try of each of these runs, in their order; None where the sampler has no more."""
    places = asyncio.Semaphore(options.at_once)

    async def one(case: str, epoch: int) -> list[Sample]:
        tries: list[Sample] = []
        async with places:
            while len(tries) < TRIES and not (tries and tries[-1].counts):
                tries.append(await sampler.run(case, epoch))
                options.on_sample(tries[-1])
        return tries

    exhausted = False
    tasks: list[asyncio.Task[list[Sample]]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += [group.create_task(one(case, epoch)) for case, epoch in wanted]
    except* Exhausted:
        exhausted = True
    return None if exhausted else [task.result() for task in tasks]


def _histories(baseline: Baseline, names: list[str], samples: list[Sample]) -> list[History]:
    runs = Counter(sample.case for sample in samples if sample.counts)
    failed = Counter(sample.case for sample in samples if sample.outcome == "failed")
    records = ((name, baseline.cases[name]) for name in names)
    return [History(r.repeats - r.passed, r.repeats, failed[name], runs[name]) for name, r in records]
