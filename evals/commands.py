"""What `deskclerk evals run` and `check` do and print. Results go to standard output, progress to standard error."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.llm.errors import ModelError
from agent.policy import InvalidPolicy
from evals.case import Case
from evals.desks.base import Infrastructure
from evals.proving import prove
from evals.results import Sample
from evals.running.run import Options, Ran, run
from evals.stored import Unreadable
from evals.suite import CASES, InvalidCase, load
from prisma.errors import PrismaError

WRONG, USAGE, AWAY = 1, 2, 3  # exit codes
TOKEN = "DESKCLERK_TOKEN"  # noqa: S105 - the name of the variable


def check_cases(*, suite: Path | None, tags: Sequence[str], names: Sequence[str]) -> int:
    try:
        cases = load(suite or CASES, tags=tags, names=names)
        wrong = asyncio.run(_check(cases))
    except (InvalidCase, FileNotFoundError) as error:
        return _fail(str(error), USAGE)
    print(f"{len(cases)} cases, {len(cases) - wrong} proven" + (f", {wrong} wrong" if wrong else ""))
    return WRONG if wrong else 0


async def _check(cases: Sequence[Case]) -> int:
    wrong = 0
    async for proof in prove(cases):
        wrong += bool(proof.problems)
        for problem in proof.problems:
            print(f"{proof.case}: {problem}")
    return wrong


def run_cases(
    *,
    suite: Path | None,
    tags: Sequence[str],
    names: Sequence[str],
    epochs: int,
    at_once: int,
    url: str | None,
    database_url: str | None,
    go_on: bool,
    at_least: float,
) -> int:
    if (url is None) != (database_url is None):
        return _fail("--url and --replace-records-of go together: state is what decides.", USAGE)
    options = Options(
        suite=suite or CASES,
        tags=tags,
        names=names,
        epochs=epochs,
        at_once=at_once,
        url=url,
        token=os.environ.get(TOKEN),
        database_url=database_url,
        go_on=go_on,
    )
    try:
        ran = asyncio.run(run(options))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "inspect_ai":
            raise
        return _fail("inspect_ai is not installed: `make setup-dev`, or the extra `evals`.", USAGE)
    except (InvalidCase, ModelError, InvalidPolicy, PrismaError, Infrastructure, Unreadable) as error:
        return _fail(str(error), USAGE if isinstance(error, InvalidCase) else AWAY)
    except KeyboardInterrupt:
        return _fail("Stopped. --resume goes on.", AWAY)
    return _report(ran, at_least)


def _report(ran: Ran, at_least: float) -> int:
    for sample in ran.samples:
        _tell(sample)
    if ran.left_out:
        print(f"{ran.left_out} cases left out: the server does not give us their role")
    print(f"{ran.tally}" + (f"; {ran.again} of them from before" if ran.again else ""))
    print(f"results {ran.results}; look at them with: inspect view --log-dir {Path(ran.log).parent}")
    if ran.tally.away:
        return AWAY
    return WRONG if ran.tally.passed < at_least * len(ran.samples) else 0


def _tell(sample: Sample) -> None:
    if sample.passed:
        return
    mark = "WRONG" if sample.outcome == "failed" else "NOT TRIED"
    print(f"{mark} {sample.case} (epoch {sample.epoch}): {'; '.join(sample.faults)}")


def _fail(message: str, code: int) -> int:
    print(f"deskclerk: {message}", file=sys.stderr)
    return code
