"""Each verdict has its exit code, and the reports are written with it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from evals.cli import app
from evals.results import Identity
from evals.stored import Header, ResultsWriter, results_path
from tests.support.bernoulli_cases import IDENTITY, BernoulliCases, suite

CASES = suite(critical=1)
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def stored(
    *, epochs: int = 1, rates: dict[str, float] | None = None, days: int = 0, identity: Identity = IDENTITY
) -> Path:
    sampler = BernoulliCases(CASES, rates, identity=identity, seed=days)
    header = Header(identity=identity, cases=tuple(CASES), started=BEGAN + timedelta(days=days))

    async def run() -> Path:
        path = results_path(header)
        with ResultsWriter(path, header) as writer:
            for epoch in range(1, epochs + 1):
                for case in CASES:
                    writer.add(await sampler.run(case.name, epoch))
            writer.close(header.started)
        return path

    return asyncio.run(run())


def evals(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


NOISY = {case.name: 0.6 for case in CASES[30:]}


def accepted() -> None:
    result = evals("baseline", "main", stored(epochs=20, rates=NOISY))
    assert result.exit_code == 0, result.output
    assert Path("evals/baselines/main.json").is_file()


def test_a_pass_exits_with_0_and_writes_the_reports():
    accepted()
    results = stored(days=1, rates=NOISY, epochs=4)
    result = evals(
        "gate",
        "--baseline",
        "main",
        "--results",
        results,
        "--junit",
        "out/r.xml",
        "--markdown",
        "r.md",
        "--html",
        "r.html",
    )
    assert result.exit_code == 0, result.output
    assert "pass: As good as main" in result.output
    assert Path("r.md").read_text().startswith("**✅ pass**")
    assert Path("out/r.xml").read_text().startswith("<?xml")
    assert Path("r.html").read_text().startswith("<!doctype html>")


def test_a_regression_exits_with_1():
    accepted()
    results = stored(days=1, rates={**NOISY, **{case.name: 0.0 for case in CASES[5:14]}})
    result = evals("gate", "--baseline", "main", "--results", results)
    assert (result.exit_code, "regressed: Worse than main" in result.output) == (1, True)


def test_a_critical_case_that_fails_exits_with_1_and_is_named():
    accepted()
    result = evals("gate", "--baseline", "main", "--results", stored(days=1, rates={"case_000": 0.0}))
    assert (result.exit_code, "case_000" in result.output) == (1, True)


def test_too_little_evidence_exits_with_5():
    accepted()
    results = stored(days=1)
    lines = results.read_text().splitlines(keepends=True)
    results.write_text("".join(lines[:-2]))  # less than an epoch
    result = evals("gate", "--baseline", "main", "--results", results)
    assert (result.exit_code, "not enough to tell" in result.output) == (5, True)


def test_another_model_is_refused_with_6():
    accepted()
    other = IDENTITY.model_copy(update={"model": "ollama:qwen3:8b"})
    result = evals("gate", "--baseline", "main", "--results", stored(days=1, identity=other))
    assert result.exit_code == 6
    assert "cannot be compared" in result.output


def test_wrong_usage_exits_with_2():
    assert evals("gate", "--baseline", "none").exit_code == 2
    accepted()
    assert evals("gate", "--baseline", "main", "--meant", "everything").exit_code == 2
    assert evals("gate", "--baseline", "main", "--url", "http://127.0.0.1:1").exit_code == 2
    assert evals("report", "--suite", "nothing").exit_code == 2


def test_a_model_that_cannot_be_had_exits_with_3(monkeypatch: pytest.MonkeyPatch):
    accepted()
    monkeypatch.setenv("DESKCLERK_LLM", "scripted:missing.json")
    result = evals("gate", "--baseline", "main")
    assert (result.exit_code, "missing.json" in result.output) == (3, True)


def test_too_few_repeats_are_no_baseline():
    result = evals("baseline", "main", stored(epochs=4))
    assert (result.exit_code, "5 are needed" in result.output) == (2, True)


def test_the_newest_results_are_reported_on_standard_output():
    stored(rates=NOISY)
    result = evals("report", "--suite", "office")
    assert result.exit_code == 0
    assert result.output.startswith("**evals** · office · ")
