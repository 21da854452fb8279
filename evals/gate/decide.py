"""The decision at one look: a pure function of the plan, the baseline and what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from evals.gate.evidence import Evidence
from evals.gate.plan import Plan
from evals.gate.rule import BROKEN_ODDS

Verdict = Literal["pass", "regressed", "inconclusive"]


def decide(plan: Plan, look: int, evidence: Evidence) -> Verdict | None:
    """None: go on to the next look. The last look ends with `inconclusive`."""
    if evidence.same <= plan.alarm[look]:
        return "regressed"
    if evidence.dropped <= plan.miss[look] and evidence.broken <= BROKEN_ODDS:
        return "pass"
    return "inconclusive" if look + 1 == len(plan.runs) else None


def broken_promises(critical: frozenset[str], failed: Sequence[str]) -> list[str]:
    """Critical cases that failed: one failure is enough, whatever the others do."""
    return sorted(critical.intersection(failed))
