"""A sampler whose cases pass with known chances: what the gate is tried on without a model."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from evals.results import Baseline, CaseInfo, CaseRecord, Identity, Sample

IDENTITY = Identity(
    suite="office",
    model="scripted:x",
    model_digest="sha256:1",
    prompt_hash="p1",
    code_version="abc",
    sampling={"temperature": 0.0},
)


def suite(cases: int = 60, *, critical: int = 0) -> list[CaseInfo]:
    """Cases named case_000 ...; the first `critical` are critical; two tags take turns."""
    return [
        CaseInfo(name=f"case_{i:03}", digest=str(i), tags=(("lookup", "money")[i % 2],), critical=i < critical)
        for i in range(cases)
    ]


def baseline_of(cases: Sequence[CaseInfo], *, passed: int = 20, repeats: int = 20) -> Baseline:
    """Every case passed as often."""
    return Baseline(
        name="main",
        identity=IDENTITY,
        made=datetime(2026, 11, 25, tzinfo=UTC),
        cases={
            c.name: CaseRecord(digest=c.digest, passed=passed, repeats=repeats, tags=c.tags, critical=c.critical)
            for c in cases
        },
    )


class BernoulliCases:
    """Cases that pass with the chance in `rates`, else 1. Failures take longer. Outcomes depend on case and epoch only.

    Attributes:
        asked: How often each case and epoch was asked for.
        most_at_once: The most tries that were under way together.
    """

    def __init__(
        self,
        cases: Sequence[CaseInfo],
        rates: Mapping[str, float] | None = None,
        *,
        away: Mapping[str, int] | None = None,
        identity: Identity = IDENTITY,
        seed: int = 1,
    ) -> None:
        self.cases, self.identity, self._seed = list(cases), identity, seed
        self._rates, self._away = rates or {}, Counter(away or {})
        self._known = {case.name: case for case in cases}
        self.asked: Counter[tuple[str, int]] = Counter()
        self.most_at_once = self._now = 0

    async def run(self, case: str, epoch: int) -> Sample:
        self.asked[case, epoch] += 1
        info = self._known[case]
        if self._away[case] > 0:
            self._away[case] -= 1
            return self._sample(info, epoch, "infrastructure")
        passed = random.Random(f"{self._seed}/{case}/{epoch}").random() < self._rates.get(case, 1.0)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        for _ in range(1 if passed else 5):
            await asyncio.sleep(0)
        self._now -= 1
        return self._sample(info, epoch, "passed" if passed else "failed")

    def _sample(self, info: CaseInfo, epoch: int, outcome: str) -> Sample:
        failed = outcome == "failed"
        return Sample.model_validate(
            {
                "case": info.name,
                "epoch": epoch,
                "outcome": outcome,
                "tags": info.tags,
                "critical": info.critical,
                "faults": ("there is no new invoice",) if failed else (),
                "calls": 3,
                "valid_calls": 2 if failed else 3,
                "arguments": 4,
                "right_arguments": 3 if failed else 4,
                "steps": 4,
                "input_tokens": 1200,
                "output_tokens": 90,
                "seconds": 4.5 if failed else 1.5,
            }
        )
