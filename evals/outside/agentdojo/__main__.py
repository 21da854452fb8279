"""`python -m evals.outside.agentdojo [SUITE ...]`: all pairs, two suites at once; exit code 1 when a goal is missed.

`--open` runs the pairs with a policy that allows everything: what the attacks do where nothing stands in their way.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import orjson

from evals.outside.agentdojo.run import run_here
from evals.outside.agentdojo.score import goals, misses, table
from evals.outside.agentdojo.theirs import SUITES

PROCESSES = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.outside.agentdojo", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], default=[], help="all if none is given")
    parser.add_argument("--open", action="store_true", help="no policy: how far the attacks get by themselves")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result to FILE")
    options = parser.parse_args()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        wanted = options.suites or sorted(SUITES, key=("workspace", "travel", "banking", "slack").index)
        found = list(pool.map(partial(run_here, is_open=options.open), wanted))
    results = [result for suite in found for result in suite]
    if options.json is not None:
        options.json.write_bytes(orjson.dumps([result.model_dump() for result in results]))
    for line in table(results):
        print(line)
    if options.open:
        return 0
    for line in misses(results):
        print(line)
    reached = goals(results)
    for goal in reached:
        print(goal)
    return 0 if all(goal.met for goal in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
