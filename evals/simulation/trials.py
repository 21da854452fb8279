"""Many gates at once: baselines are drawn, then runs, until each gate has its verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from evals.gate import rule
from evals.gate.plan import make_plan, runs_of_each
from evals.simulation import twin
from evals.simulation.suites import SHAPES, Change, after
from evals.simulation.twin import Floats, Ints, Priors

CHUNK = 1000  # suites whose tables fit into a processor's cache


@dataclass(frozen=True, slots=True)
class Cell:
    """What is tried. `at_once` runs are under way together; `drop` is of the mean pass rate."""

    shape: str
    cases: int
    mean: float
    repeats: int
    change: Change
    at_once: int = 1
    drop: float = rule.DROP
    max_runs: int = rule.MAX_RUNS


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of the verdicts, and runs until the verdict on average."""

    regressed: float
    passed: float
    inconclusive: float
    runs: float


def try_cell(cell: Cell, trials: int, draw: Generator) -> Outcome:
    """Raises ValueError where `trials` is no multiple of `CHUNK` and larger than it."""
    chunks = [_chunk(cell, size, draw) for size in _sizes(trials)]
    verdicts = np.concatenate([verdict for verdict, _ in chunks])
    runs = np.concatenate([runs for _, runs in chunks])
    return Outcome(
        float((verdicts == 1).mean()), float((verdicts == -1).mean()), float((verdicts == 0).mean()), float(runs.mean())
    )


def _sizes(trials: int) -> list[int]:
    return [min(CHUNK, trials - start) for start in range(0, trials, CHUNK)]


def _chunk(cell: Cell, trials: int, draw: Generator) -> tuple[Ints, Floats]:
    """Verdicts (1 regressed, -1 pass, 0 inconclusive) and runs."""
    plan = make_plan(cell.cases, cell.repeats, max_runs=cell.max_runs)
    rates = SHAPES[cell.shape](draw, trials, cell.cases, cell.mean)
    now = after(draw, rates, cell.change, cell.drop)
    baseline, now = _scheduled(draw.binomial(cell.repeats, 1 - rates), now)
    priors = twin.fit(baseline, cell.repeats)
    failed: Ints = np.zeros_like(baseline)
    verdicts, took = np.zeros(trials, np.int64), np.zeros(trials)
    live: Ints = np.arange(trials)
    done = 0
    for look, runs in enumerate(plan.runs):
        each: Ints = np.array(runs_of_each(cell.cases, runs))
        failed[live] += _block(draw, now[live], done, runs, cell.at_once)
        done = runs
        known = Priors(priors.weights[live], [(weight, at[live]) for weight, at in priors.nodes])
        same, dropped, broken = twin.evidence(
            known, baseline[live], failed[live], each, cell.repeats, alarm=plan.alarm[look], odds=rule.BROKEN_ODDS
        )
        alarm = same <= plan.alarm[look]
        fine = (dropped <= plan.miss[look]) & (broken <= rule.BROKEN_ODDS) & ~alarm
        verdicts[live] = np.where(alarm, 1, np.where(fine, -1, 0))
        took[live] = runs
        live = live[~alarm & ~fine]
        if not len(live):
            break
    return verdicts, took


def _scheduled(baseline: Ints, now: Floats) -> tuple[Ints, Floats]:
    """The cases of each suite in the order of the gate's schedule: those that failed least in the baseline first."""
    order = np.argsort(baseline, 1, kind="stable")
    return np.take_along_axis(baseline, order, 1), np.take_along_axis(now, order, 1)


def _block(draw: Generator, now: Floats, begin: int, end: int, at_once: int) -> Ints:
    """Failures of each case in the runs from `begin` to `end` of the schedule.

    With several at once they arrive out of order, failures three times as late as passes on average; the gate takes
    them when the block is whole, and so does this.
    """
    cases = now.shape[1]
    schedule: Ints = np.arange(begin, end) % cases
    outcome = draw.random((len(now), end - begin)) >= now[:, schedule]
    where = np.broadcast_to(schedule, outcome.shape)
    if at_once > 1:
        arrival = np.argsort(_finish(draw, outcome, at_once), 1)
        outcome, where = np.take_along_axis(outcome, arrival, 1), np.take_along_axis(where, arrival, 1)
    failed = np.zeros(now.shape, np.int64)
    np.add.at(failed, (np.arange(len(now))[:, None], where), outcome)
    return failed


def _finish(draw: Generator, failed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], at_once: int) -> Floats:
    """When each run ends, where `at_once` places take the next run of the schedule as soon as they are free."""
    seconds = draw.exponential(np.where(failed, 3.0, 1.0))
    free = np.zeros((len(failed), at_once))
    ends = np.zeros(failed.shape)
    rows: Ints = np.arange(len(failed))
    for run in range(failed.shape[1]):
        place = np.argmin(free, 1)
        ends[:, run] = free[rows, place] = free[rows, place] + seconds[:, run]
    return ends
