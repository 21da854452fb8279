"""What `deskclerk evals gate`, `report` and `baseline` do. Reports go to files, the last word to standard output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.llm.errors import ModelError
from agent.policy import InvalidPolicy
from evals.desks.base import Infrastructure
from evals.gate.baselines import Unfit, make_baseline
from evals.gate.compare import CHANGES, Change, Different
from evals.gate.plan import make_plan
from evals.gate.recorded import Recorded
from evals.gate.run import Judged, judge
from evals.gate.run import Options as GateOptions
from evals.report.content import Content, Stored, content_of, headline
from evals.report.junit import junit
from evals.report.markdown import MARKS, markdown
from evals.report.page import page
from evals.results import Baseline, Results, Sample
from evals.running.run import Options, open_sampler
from evals.running.store import begin
from evals.stored import FOLDER, Unreadable, read_baseline, read_results, stored_results, write_baseline
from evals.suite import CASES, InvalidCase, load
from prisma.errors import PrismaError

PASSED, REGRESSED, USAGE, AWAY, INCONCLUSIVE, REFUSED = 0, 1, 2, 3, 5, 6
"""Exit codes of the gate; 4 means something else on this command line."""
CODES = {"pass": PASSED, "regressed": REGRESSED, "inconclusive": INCONCLUSIVE}
GOOD_REPEATS = 20
MOST_POINTS = 60  # of the drift
TOKEN = "DESKCLERK_TOKEN"  # noqa: S105 - the name of the variable


@dataclass(frozen=True, slots=True)
class Reports:
    """Where reports are written; None writes none. `link_base` is put before the paths of transcripts."""

    junit: Path | None = None
    markdown: Path | None = None
    html: Path | None = None
    link_base: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the gate was asked."""

    baseline: str
    suite: Path | None
    tags: Sequence[str]
    results: Path | None
    at_once: int
    max_runs: int
    suites: int
    meant: Sequence[str]
    url: str | None
    database_url: str | None


def gate(asked: Asked, reports: Reports) -> int:
    try:
        _check(asked)
        baseline = read_baseline(asked.baseline)
        content = asyncio.run(_judged(asked, baseline, reports.link_base))
    except Different as error:
        return _fail(str(error), REFUSED)
    except (InvalidCase, Unreadable, WrongUsage) as error:
        return _fail(str(error), USAGE)
    except (ModelError, InvalidPolicy, PrismaError, Infrastructure) as error:
        return _fail(str(error), AWAY)
    except KeyboardInterrupt:
        return _fail("Stopped: there is no verdict.", AWAY)
    _write(content, reports)
    assert content.judged is not None
    print(f"{MARKS[content.judged.verdict]}: {headline(content)}")
    return AWAY if content.judged.cause == "infrastructure" else CODES[content.judged.verdict]


class WrongUsage(Exception):
    """Options that do not go together; the message says which."""


def _check(asked: Asked) -> None:
    if unknown := [change for change in asked.meant if change not in CHANGES]:
        raise WrongUsage(f"--meant is one of {', '.join(CHANGES)}, not {unknown[0]!r}.")
    if (asked.url is None) != (asked.database_url is None):
        raise WrongUsage("--url and --replace-records-of go together: state is what decides.")


async def _judged(asked: Asked, baseline: Baseline, link_base: str) -> Content:
    options = GateOptions(
        at_once=asked.at_once,
        max_runs=asked.max_runs,
        suites=asked.suites,
        meant=frozenset[Change](change for change in CHANGES if change in asked.meant),
        on_sample=_tell,
    )
    if asked.results is not None:
        results = read_results(asked.results)
        judged = await judge(Recorded(results), baseline, options)
        return _content(judged, results, asked.results.parent, link_base)
    cases = load(asked.suite or CASES, tags=asked.tags)
    chosen = Options(
        suite=asked.suite or CASES,
        at_once=asked.at_once,
        url=asked.url,
        token=os.environ.get(TOKEN),
        database_url=asked.database_url,
    )
    async with open_sampler(cases, chosen) as (sampler, _):
        stored = begin(sampler.identity, sampler.cases)

        def keep(sample: Sample) -> None:
            stored.add(sample)
            if sample.counts:
                sampler.forget_answers(sample.case, sample.epoch)
            _tell(sample)

        complete = False
        try:
            judged = await judge(sampler.keeping(stored.folder), baseline, replace(options, on_sample=keep))
            complete = True
        finally:
            stored.close(complete=complete)
    print(f"results {stored.path}", file=sys.stderr)
    return _content(judged, read_results(stored.path), stored.path.parent, link_base)


def _content(judged: Judged, results: Results, folder: Path, link_base: str) -> Content:
    """Of the cases that were compared and the samples that were judged."""
    seen = results.model_copy(update={"samples": judged.samples})
    drift = _drift(results.identity.suite)
    return content_of(seen, folder=folder, baseline=judged.baseline, judged=judged, drift=drift, link_base=link_base)


def report(paths: Sequence[Path], *, suite: str, baseline: str | None, reports: Reports) -> int:
    """Report stored results, the newest of `suite` where none are named."""
    try:
        chosen = list(paths) or stored_results(suite)[-1:]
        if not chosen:
            return _fail(
                f"There are no results of suite {suite!r} in {FOLDER}: `deskclerk evals run` makes some.", USAGE
            )
        results = _together([read_results(path) for path in chosen])
        content = content_of(
            results,
            folder=chosen[0].parent,
            baseline=read_baseline(baseline) if baseline is not None else None,
            drift=_drift(results.identity.suite),
            link_base=reports.link_base,
        )
    except (Unreadable, Unfit) as error:
        return _fail(str(error), USAGE)
    _write(content, reports)
    if reports == Reports(link_base=reports.link_base):
        print(markdown(content), end="")
    return PASSED


def baseline(name: str, paths: Sequence[Path]) -> int:
    """Accept stored results."""
    try:
        made = make_baseline(name, [read_results(path) for path in paths])
        path = write_baseline(made)
    except (Unreadable, Unfit) as error:
        return _fail(str(error), USAGE)
    passed, repeats = (sum(getattr(c, field) for c in made.cases.values()) for field in ("passed", "repeats"))
    plan = make_plan(len(made.cases), repeats / len(made.cases))
    print(f"{path}: {len(made.cases)} cases, {passed} of {repeats} passed; the gate takes {plan.runs[0]} runs or more.")
    if repeats / len(made.cases) < GOOD_REPEATS:
        print(f"With {GOOD_REPEATS} repeats of a case the gate decides sooner, and finds more.")
    return PASSED


def _together(runs: Sequence[Results]) -> Results:
    first = runs[0]
    if any(run.identity != first.identity or run.cases != first.cases for run in runs):
        raise Unfit("The results differ in model, prompt, code, sampling or cases; report them one by one.")
    return first.model_copy(update={"samples": tuple(sample for run in runs for sample in run.samples)})


def _drift(suite: str) -> list[Stored]:
    return [Stored(read_results(path), path.parent) for path in stored_results(suite)[-MOST_POINTS:]]


def _write(content: Content, reports: Reports) -> None:
    for path, text in ((reports.junit, junit), (reports.markdown, markdown), (reports.html, page)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(content), "utf-8")
            print(f"wrote {path}", file=sys.stderr)


def _tell(sample: Sample) -> None:
    if not sample.passed:
        mark = "FAILED" if sample.counts else "NOT TRIED"
        print(f"{mark} {sample.case} (epoch {sample.epoch}): {'; '.join(sample.faults)}", file=sys.stderr)


def _fail(message: str, code: int) -> int:
    print(f"deskclerk: {message}", file=sys.stderr)
    return code
