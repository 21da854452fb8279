"""A run's results as they come, and which of them need not be made again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from evals.results import CaseInfo, Identity, Sample
from evals.stored import FOLDER, Footer, Header, read_results, results_path, stored_results


class Run:
    """The results file of one run; beside it, in a folder of its name, transcripts and answers under way."""

    def __init__(self, path: Path, file: TextIO, done: Sequence[Sample]) -> None:
        self.path, self._file = path, file
        self.done = {(sample.case, sample.epoch): sample for sample in done}

    @property
    def folder(self) -> Path:
        return self.path.with_suffix("")

    def add(self, sample: Sample) -> None:
        """At once, so that a run that is killed has it."""
        self._file.write(sample.model_dump_json() + "\n")
        self._file.flush()
        self.done[sample.case, sample.epoch] = sample

    def close(self, *, complete: bool) -> None:
        """A run that is not complete may be gone on with."""
        if complete:
            self._file.write(Footer(ended=datetime.now(UTC)).model_dump_json() + "\n")
        self._file.close()


def begin(identity: Identity, cases: Sequence[CaseInfo], *, folder: Path = FOLDER) -> Run:
    header = Header(identity=identity, cases=tuple(cases), started=datetime.now(UTC))
    path = results_path(header, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("x", encoding="utf-8")
    file.write(header.model_dump_json() + "\n")
    file.flush()
    return Run(path, file, [])


def resume(identity: Identity, cases: Sequence[CaseInfo], *, folder: Path = FOLDER) -> Run | None:
    """The newest run of this suite that was not ended, where it tried the same things; what was away is tried again."""
    for path in reversed(stored_results(identity.suite, folder)):
        results = read_results(path)
        if results.ended is None and results.identity == identity and list(results.cases) == list(cases):
            _cut(path)
            return Run(path, path.open("a", encoding="utf-8"), [sample for sample in results.samples if sample.counts])
    return None


def _cut(path: Path) -> None:
    """Leave out a last line that its writer could not end."""
    text = path.read_bytes()
    if not text.endswith(b"\n"):
        path.write_bytes(text[: text.rfind(b"\n") + 1])
