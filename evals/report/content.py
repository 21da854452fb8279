"""What every report tells, whatever its form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import comb
from pathlib import Path

from evals.gate.run import Judged
from evals.results import Baseline, CaseInfo, CaseRecord, Identity, Results, Sample
from evals.stats.rates import holm, paired_difference, wilson
from evals.stats.scores import Scores, scores

CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case, before and now. `p`: so many failures by chance, adjusted for the number of cases; 1 without baseline."""

    name: str
    tags: tuple[str, ...]
    critical: bool
    before: CaseRecord | None
    tries: tuple[Sample, ...]
    p: float = 1.0

    @property
    def counting(self) -> list[Sample]:
        return [sample for sample in self.tries if sample.counts]

    @property
    def rate(self) -> float | None:
        counting = self.counting
        return sum(sample.passed for sample in counting) / len(counting) if counting else None

    @property
    def change(self) -> float:
        """Of the pass rate; 0 where one of the two is not known."""
        return 0.0 if self.before is None or self.rate is None else self.rate - self.before.passed / self.before.repeats


@dataclass(frozen=True, slots=True)
class Point:
    """One stored run, for the drift."""

    at: datetime
    passed: int
    tried: int
    identity: Identity

    @property
    def rate(self) -> float:
        return self.passed / self.tried

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.passed, self.tried)


@dataclass(frozen=True, slots=True)
class Stored:
    """Results and the folder that their transcripts are relative to."""

    results: Results
    folder: Path


@dataclass(frozen=True, slots=True)
class Earlier:
    """A sample of an earlier run, to put beside a failed one."""

    sample: Sample
    folder: Path
    at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """Everything a report shows. `folder` is where the samples' transcripts are relative to."""

    identity: Identity
    started: datetime
    scores: Scores | None
    lines: tuple[CaseLine, ...]
    folder: Path
    baseline: Baseline | None = None
    judged: Judged | None = None
    drift: tuple[Point, ...] = ()
    link_base: str = ""
    passed_before: Mapping[str, Earlier] = field(default_factory=dict[str, Earlier])
    tags: Mapping[str, tuple[CaseLine, ...]] = field(default_factory=dict[str, tuple[CaseLine, ...]])

    @property
    def worse(self) -> list[CaseLine]:
        """The worst first."""
        return sorted((line for line in self.lines if line.change < 0), key=lambda line: (line.p, line.change))

    @property
    def better(self) -> list[CaseLine]:
        return sorted((line for line in self.lines if line.change > 0), key=lambda line: -line.change)

    @property
    def difference(self) -> tuple[float, float, float] | None:
        return difference(self.lines)

    def link(self, sample: Sample) -> str | None:
        """Where the sample's transcript is, for people who read the report elsewhere."""
        if sample.transcript is None or sample.transcript.startswith(("http://", "https://")):
            return sample.transcript
        return f"{self.link_base.rstrip('/')}/{sample.transcript}" if self.link_base else sample.transcript


def content_of(
    results: Results,
    *,
    folder: Path,
    baseline: Baseline | None = None,
    judged: Judged | None = None,
    drift: Sequence[Stored] = (),
    link_base: str = "",
) -> Content:
    """What to report of results; of `drift`, runs of the same suite that were stored."""
    known: Mapping[str, CaseRecord] = baseline.cases if baseline is not None else {}
    tries: dict[str, list[Sample]] = defaultdict(list)
    for sample in results.samples:
        tries[sample.case].append(sample)
    lines = _lines([case for case in results.cases if tries[case.name]], known, tries)
    return Content(
        identity=results.identity,
        started=results.started,
        scores=scores(results.samples),
        lines=lines,
        folder=folder,
        baseline=baseline,
        judged=judged,
        drift=tuple(point for run in drift if (point := _point(run.results)) is not None),
        link_base=link_base,
        passed_before=_passed_before(results, drift),
        tags={
            tag: tuple(line for line in lines if tag in line.tags)
            for tag in sorted({tag for line in lines for tag in line.tags})
        },
    )


def difference(lines: Sequence[CaseLine]) -> tuple[float, float, float] | None:
    """Paired, with a 95% interval; None where nothing can be compared."""
    pairs = [
        (line.before.passed / line.before.repeats, line.rate)
        for line in lines
        if line.before is not None and line.rate is not None
    ]
    return paired_difference(pairs) if pairs else None


def headline(content: Content) -> str:
    """The verdict and why, in one sentence; or the pass rate, where nothing was judged."""
    judged = content.judged
    if judged is None:
        found = content.scores
        return "Nothing could be tried." if found is None else f"{found.passed} of {found.tried} passed."
    name, runs = judged.baseline.name, sum(sample.counts for sample in judged.samples)
    match judged.cause:
        case "critical":
            return f"Critical cases failed that always passed in {name}: {', '.join(judged.critical_failed)}."
        case "infrastructure":
            return f"{len(judged.not_tried)} cases could not be tried, like {judged.not_tried[0]}."
        case "runs":
            return f"{runs} runs are not enough to tell whether it is as good as {name}."
        case "evidence":
            seen = judged.looks[-1].evidence
            if judged.verdict == "pass":
                chance = f"a drop of 10 points would hardly look so good ({_chance(seen.dropped)})"
                return f"As good as {name} after {runs} runs: {chance}."
            chance = f"without a change it would hardly look so bad ({_chance(seen.same)})"
            return f"Worse than {name} after {runs} runs: {chance}."


def _chance(p: float) -> str:
    return f"{p:.1%}" if p >= 0.001 else "less than 0.1%"


def _lines(
    cases: Sequence[CaseInfo], known: Mapping[str, CaseRecord], tries: Mapping[str, list[Sample]]
) -> tuple[CaseLine, ...]:
    adjusted = holm([_by_chance(known.get(case.name), tries[case.name]) for case in cases])
    return tuple(
        CaseLine(case.name, case.tags, case.critical, known.get(case.name), tuple(tries[case.name]), p)
        for case, p in zip(cases, adjusted, strict=True)
    )


def _passed_before(results: Results, drift: Sequence[Stored]) -> dict[str, Earlier]:
    """The newest passed sample of each case that is what it was then."""
    now = {case.name: case.digest for case in results.cases}
    found: dict[str, Earlier] = {}
    for run in drift:
        same = {case.name for case in run.results.cases if now.get(case.name) == case.digest}
        for sample in run.results.samples:
            if sample.passed and sample.transcript is not None and sample.case in same:
                found[sample.case] = Earlier(sample, run.folder, run.results.started)
    return found


def _by_chance(before: CaseRecord | None, tries: Sequence[Sample]) -> float:
    """Fisher's exact test, one-sided: so many of all failures fall on the tries now."""
    counting = [sample for sample in tries if sample.counts]
    failed = sum(not sample.passed for sample in counting)
    if before is None or failed == 0:
        return 1.0
    failures = before.repeats - before.passed + failed
    runs, of = len(counting), before.repeats + len(counting)
    ways = sum(comb(failures, k) * comb(of - failures, runs - k) for k in range(failed, min(failures, runs) + 1))
    return ways / comb(of, runs)


def _point(run: Results) -> Point | None:
    counting = [sample for sample in run.samples if sample.counts]
    return Point(run.started, sum(s.passed for s in counting), len(counting), run.identity) if counting else None
