"""Results and baselines survive the way to the disk and back, and what is wrong with a file is said."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from evals.results import Baseline, CaseInfo, CaseRecord, Identity, Results, Sample
from evals.stored import (
    Header,
    ResultsWriter,
    Unreadable,
    baseline_names,
    read_baseline,
    read_results,
    results_path,
    stored_results,
    write_baseline,
)

IDENTITY = Identity(
    suite="Demo company",
    model="scripted:x",
    model_digest="d1",
    prompt_hash="p1",
    code_version="c1",
    sampling={"t": 0.0},
)
CASES = (CaseInfo(name="a", digest="1", tags=("money",), critical=True), CaseInfo(name="b", digest="2"))
STARTED = datetime(2026, 11, 25, 12, tzinfo=UTC)
HEADER = Header(identity=IDENTITY, cases=CASES, started=STARTED)
SAMPLES = (
    Sample(case="a", epoch=1, outcome="passed", tags=("money",), critical=True, seconds=1.5, cost=Decimal("0.0021")),
    Sample(case="b", epoch=1, outcome="failed", faults=("no invoice\nwas made",), transcript="a/b.json"),
)


def test_results_come_back_as_they_were_written(tmp_path: Path):
    path = results_path(HEADER, tmp_path)
    with ResultsWriter(path, HEADER) as writer:
        for sample in SAMPLES:
            writer.add(sample)
        writer.close(STARTED)
    assert read_results(path) == Results(
        identity=IDENTITY, cases=CASES, started=STARTED, ended=STARTED, samples=SAMPLES
    )
    assert stored_results("Demo company", tmp_path) == [path]


def test_a_run_that_was_cut_off_keeps_every_whole_line(tmp_path: Path):
    path = tmp_path / "r.jsonl"
    with ResultsWriter(path, HEADER) as writer:
        for sample in SAMPLES:
            writer.add(sample)
    path.write_text(path.read_text()[:-20])
    assert read_results(path).samples == SAMPLES[:1]
    assert read_results(path).ended is None


def test_a_line_that_is_wrong_is_named(tmp_path: Path):
    path = tmp_path / "r.jsonl"
    path.write_text(HEADER.model_dump_json() + '\n{"case": "a"}\n')
    with pytest.raises(Unreadable, match=r"r\.jsonl:2: epoch: Field required"):
        read_results(path)


def test_results_are_never_written_over(tmp_path: Path):
    ResultsWriter(tmp_path / "r.jsonl", HEADER).close(STARTED)
    with pytest.raises(FileExistsError):
        ResultsWriter(tmp_path / "r.jsonl", HEADER)


def test_a_baseline_comes_back_and_has_a_line_for_each_case(tmp_path: Path):
    cases = {"a": CaseRecord(digest="1", passed=5, repeats=5), "b": CaseRecord(digest="2", passed=0, repeats=5)}
    baseline = Baseline(name="main", identity=IDENTITY, made=STARTED, cases=cases)
    path = write_baseline(baseline, tmp_path)
    assert read_baseline("main", tmp_path) == baseline
    assert list(baseline_names(tmp_path)) == ["main"]
    assert sum('"repeats"' in line for line in path.read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["../main", "", "Main", "a/b", ".main"])
def test_a_baseline_cannot_be_named_out_of_its_folder(name: str, tmp_path: Path):
    with pytest.raises(Unreadable, match="named by lower-case letters"):
        read_baseline(name, tmp_path)


def test_counts_that_do_not_add_up_are_refused():
    with pytest.raises(ValidationError, match="more often than it was tried"):
        CaseRecord(digest="1", passed=6, repeats=5)
    with pytest.raises(ValidationError, match="than there are"):
        Sample(case="a", epoch=1, outcome="passed", calls=1, valid_calls=2)
