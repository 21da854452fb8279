"""The scores of a set of samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from evals.results import Sample
from evals.stats.rates import clustered_error, pass_all_k, pass_at_k, quantile, wilson


@dataclass(frozen=True, slots=True)
class Scores:
    """What samples come to; those that could not be tried are only counted.

    Attributes:
        interval: Wilson's, 95%, as if all samples were independent.
        clustered: Standard error with the repeats of a case taken together.
        at_k, all_k: pass@k and pass^k, averaged over cases, for every k up to the fewest repeats of a case.
        valid_calls, right_arguments: Shares; None where there were none.
        p50, p95: Of the latency, in seconds.
        cost: In US dollars; None where nobody bills.
    """

    cases: int
    tried: int
    passed: int
    not_tried: int
    rate: float
    interval: tuple[float, float]
    clustered: float
    at_k: Mapping[int, float]
    all_k: Mapping[int, float]
    valid_calls: float | None
    right_arguments: float | None
    steps: float
    input_tokens: float
    output_tokens: float
    p50: float
    p95: float
    cost: Decimal | None


def scores(samples: Sequence[Sample]) -> Scores | None:
    """None where nothing could be tried."""
    counting = [sample for sample in samples if sample.counts]
    if not counting:
        return None
    by_case: dict[str, list[Sample]] = defaultdict(list)
    for sample in counting:
        by_case[sample.case].append(sample)
    counts = [(len(tries), sum(t.passed for t in tries)) for tries in by_case.values()]
    ks = range(1, min(n for n, _ in counts) + 1)
    passed = sum(sample.passed for sample in counting)
    billed = [sample.cost for sample in counting if sample.cost is not None]
    seconds = [sample.seconds for sample in counting]
    return Scores(
        cases=len(by_case),
        tried=len(counting),
        passed=passed,
        not_tried=len(samples) - len(counting),
        rate=passed / len(counting),
        interval=wilson(passed, len(counting)),
        clustered=clustered_error([[float(t.passed) for t in tries] for tries in by_case.values()]),
        at_k={k: fmean(pass_at_k(n, c, k) for n, c in counts) for k in ks},
        all_k={k: fmean(pass_all_k(n, c, k) for n, c in counts) for k in ks},
        valid_calls=_share((s.valid_calls, s.calls) for s in counting),
        right_arguments=_share((s.right_arguments, s.arguments) for s in counting),
        steps=fmean(s.steps for s in counting),
        input_tokens=fmean(s.input_tokens for s in counting),
        output_tokens=fmean(s.output_tokens for s in counting),
        p50=quantile(seconds, 0.5),
        p95=quantile(seconds, 0.95),
        cost=sum(billed, Decimal(0)) if billed else None,
    )


def by_tag(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """The samples of each tag, by name; a case counts under each of its tags."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        for tag in sample.tags:
            found[tag].append(sample)
    return {tag: found[tag] for tag in sorted(found)}


def _share(parts: Iterable[tuple[int, int]]) -> float | None:
    right, of = (sum(column) for column in zip(*parts, strict=True))
    return right / of if of else None
