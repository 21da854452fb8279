"""`python -m evals.outside.bfcl`: prove our conversion with their checker, or score a model on a random sample.

python -m evals.outside.bfcl check                          every row's right calls, and wrong ones made of them
python -m evals.outside.bfcl score --rows 40 --seed 1       the model of DESKCLERK_LLM
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from agent.llm.create import create_backend
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from evals.outside.bfcl.asking import ask
from evals.outside.bfcl.convert import read, to_theirs, written
from evals.outside.bfcl.gold import contradiction, gold, mutants
from evals.outside.bfcl.theirs import CATEGORIES, NotInstalled, Row, complaint, rows
from evals.stats.rates import wilson


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.outside.bfcl", description="BFCL, single-turn, Python.")
    parser.add_argument("what", choices=["check", "score"])
    parser.add_argument("--rows", type=int, default=40, metavar="N", help="size of the random sample")
    parser.add_argument("--seed", type=int, default=1, help="of the sample, and of the mutants")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every answer to FILE")
    options = parser.parse_args()
    try:
        everything = [row for category in CATEGORIES for row in rows(category)]
        if options.what == "check":
            return check(everything, seed=options.seed)
        return asyncio.run(score(Random(options.seed).sample(everything, options.rows), report=options.json))  # noqa: S311
    except (NotInstalled, ModelError) as error:
        print(error, file=sys.stderr)
        return 2


def check(everything: Sequence[Row], *, seed: int) -> int:
    """Exit code 1 when a right call is refused that could be right, or a wrong one is taken."""
    refused: list[str] = []
    impossible: list[str] = []
    taken: list[str] = []
    tried: Counter[str] = Counter()
    random = Random(seed)  # noqa: S311 - which mistake is made where
    for row in everything:
        said = complaint(row, to_theirs(read(written(gold(row)))))
        why = contradiction(row)
        if said is not None:
            (refused if why is None else impossible).append(f"{row.id}: {why or said}")
        for kind, calls in mutants(row, random):
            tried[kind] += 1
            if complaint(row, to_theirs(read(written(calls)))) is None:
                taken.append(f"{row.id}: {kind}")
    passed = len(everything) - len(refused) - len(impossible)
    print(f"{passed} of {len(everything)} rows: their right calls pass their checker through our conversion")
    for line in impossible:
        print(f"  cannot be right: {line}")
    for line in refused:
        print(f"  REFUSED: {line}")
    kinds = ", ".join(f"{kind} {count}" for kind, count in tried.items())
    print(f"{tried.total() - len(taken)} of {tried.total()} wrong calls are refused ({kinds})")
    for line in taken:
        print(f"  TAKEN: {line}")
    return 1 if refused or taken else 0


async def score(sample: Sequence[Row], *, report: Path | None) -> int:
    backend = create_backend(AgentSettings().llm, LlmSettings())
    await backend.start()
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    answers: list[dict[str, object]] = []
    try:
        for number, row in enumerate(sample, 1):
            text, wrong = await ask(row, backend)
            asked[row.category] += 1
            right[row.category] += wrong is None
            answers.append({"id": row.id, "wrote": text, "wrong": wrong})
            print(f"{number:4} {row.id}: {wrong or 'right'}", flush=True)
            _write(report, answers)
    finally:
        await backend.stop()
    for category, count in asked.items():
        print(f"{category:24} {right[category]} of {count}")
    low, high = wilson(right.total(), asked.total())
    rate = right.total() / asked.total()
    print(f"{backend.name}: {right.total()} of {asked.total()} right, {rate:.1%} ({low:.1%} to {high:.1%})")
    return 0


def _write(report: Path | None, answers: Sequence[object]) -> None:
    if report is not None:
        report.write_text(json.dumps(answers, indent=1, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
