"""When the gate may decide and how sure it must be then: laid down before anything is run."""

from __future__ import annotations

from dataclasses import dataclass

from evals.gate import rule
from evals.gate.boundaries import nominal_levels


@dataclass(frozen=True, slots=True)
class Plan:
    """At look i, after `runs[i]` runs: regressed if `same` <= `alarm[i]`, passed if `dropped` <= `miss[i]`."""

    runs: tuple[int, ...]
    alarm: tuple[float, ...]
    miss: tuple[float, ...]


def make_plan(cases: int, repeats: float, *, suites: int = 1, max_runs: int = rule.MAX_RUNS) -> Plan:
    """The plan for a suite.

    Args:
        cases: In the suite.
        repeats: Of a case in the baseline, on average.
        suites: That are judged together; the false alarms are shared out evenly among them (Bonferroni).
        max_runs: Never fewer than one epoch.
    """
    runs = tuple(sorted({round(epochs * cases) for epochs in rule.LOOKS if epochs == 1 or epochs * cases <= max_runs}))
    information = tuple(repeats * n / (cases * repeats + n) for n in runs)
    alarms = rule.alarms(cases, repeats) / suites
    return Plan(
        runs,
        nominal_levels(information, _spent(alarms, rule.at_first(cases, rule.ALARMS_HELD), len(runs))),
        nominal_levels(information, _spent(rule.misses(cases), rule.at_first(cases, rule.MISSES_HELD), len(runs))),
    )


def _spent(total: float, first: float, looks: int) -> tuple[float, ...]:
    """The first look's share, then the rest in equal steps."""
    if looks == 1:
        return (total,)
    return tuple(total * (first + (1 - first) * i / (looks - 1)) for i in range(looks))


def runs_of_each(cases: int, runs: int) -> list[int]:
    """How often each case has run after `runs` runs, in the order of the schedule."""
    return [runs // cases + (position < runs % cases) for position in range(cases)]
