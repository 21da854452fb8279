"""`make evals-simulation`: how often the gate errs, by trying it on suites whose pass rates are known.

Prints Markdown; docs/evals-gate-simulation.md is what it printed once. Every run draws afresh, unless --seed is given.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np

from evals.simulation.proof import NEAR, worst_difference
from evals.simulation.suites import SHAPES, Change
from evals.simulation.tables import by_drop, error_table, missed, power_table, remedied, remedies_table, runs_table
from evals.simulation.trials import Cell, Outcome, try_cell

SIZES, MEANS, REPEATS, AT_ONCE = (30, 60, 120), (0.60, 0.85, 0.95), (5, 20), (1, 8)
DROPS: tuple[Change, ...] = ("uniform", "concentrated")
CURVE = (0.02, 0.05, 0.08, 0.10, 0.15)
HISTORIES = 2000
REMEDIES = ((5, 960), (5, 1920), (10, 480), (20, 480), (20, 960), (40, 480), (40, 960), (40, 1920))
"""What is tried for a cell whose power is too low, until it is enough: baseline repeats, and the most runs."""
Outcomes = dict[Cell, Outcome]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000, help="Gates tried in each cell.")
    parser.add_argument("--seed", type=int, help="To repeat a run; else fresh.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shape", action="append", choices=list(SHAPES), help="Only suites like this.")
    options = parser.parse_args(arguments)
    entropy = np.random.SeedSequence(options.seed).entropy
    began = time.monotonic()
    shapes = tuple(options.shape or SHAPES)
    print(f"Seed {entropy}; {options.trials:,} trials a cell.\n")
    if not _proven(np.random.default_rng(np.random.SeedSequence(options.seed))):
        return 1
    seeds = iter(np.random.SeedSequence(options.seed).spawn(10_000))
    with ProcessPoolExecutor(options.workers) as pool:

        def outcomes(cells: Iterable[Cell]) -> Outcomes:
            wanted = list(cells)
            jobs = [pool.submit(_try, cell, options.trials, next(seeds)) for cell in wanted]
            for number, job in enumerate(jobs, 1):
                job.result()
                if number % 36 == 0 or number == len(jobs):
                    print(f"{number} of {len(jobs)} cells, {time.monotonic() - began:.0f} s", file=sys.stderr)
            return {cell: job.result() for cell, job in zip(wanted, jobs, strict=True)}

        null = outcomes(_cells(shapes, ("none",)))
        print("\n".join(error_table(null)), flush=True)
        drops = outcomes(_cells(shapes, DROPS))
        print("\n".join([*power_table(drops), *runs_table({**null, **drops})]), flush=True)
        curve = outcomes(
            Cell(shape, 60, 0.85, repeats, change, drop=drop)
            for shape, repeats, change, drop in product(shapes, REPEATS, DROPS, CURVE)
        )
        five = outcomes(replace(cell, drop=0.05) for cell in _cells(shapes, DROPS) if cell.at_once == 1)
        print("\n".join(by_drop(curve, five)), flush=True)
        weak = missed(drops)
        remedies: Outcomes = {}
        for repeats, runs in REMEDIES:
            more = [cell for cell in weak if (repeats, runs) > (cell.repeats, cell.max_runs)]
            left = [cell for cell in more if not remedied(cell, remedies)]
            remedies |= outcomes(replace(cell, repeats=repeats, max_runs=runs) for cell in left)
        print("\n".join(remedies_table(weak, drops, remedies)))
    print(f"\n{time.monotonic() - began:.0f} s with {options.workers} workers.")
    return 0


def _cells(shapes: Iterable[str], changes: Sequence[Change]) -> Iterator[Cell]:
    for shape, cases, mean, repeats, change, at_once in product(shapes, SIZES, MEANS, REPEATS, changes, AT_ONCE):
        yield Cell(shape, cases, mean, repeats, change, at_once)


def _try(cell: Cell, trials: int, seed: np.random.SeedSequence) -> Outcome:
    return try_cell(cell, trials, np.random.default_rng(seed))


def _proven(draw: np.random.Generator) -> bool:
    """The simulated decision against the gate's own."""
    worst, different, alarms = 0.0, 0, 0
    for _ in range(HISTORIES // 50):
        cases, repeats = int(draw.integers(8, 40)), int(draw.choice(REPEATS))
        found = worst_difference(50, draw, cases=cases, repeats=repeats)
        worst, different, alarms = max(worst, found[0]), different + found[1], alarms + found[2]
    print(
        f"The simulated decision and the gate's own on {HISTORIES:,} random histories ({alarms} alarms): "
        f"{different} verdicts differ, the evidence by at most {worst:.0e}.\n"
    )
    return different == 0 and worst < NEAR


if __name__ == "__main__":
    sys.exit(main())
