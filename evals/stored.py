"""Results as JSON lines (the first says what was tried, each further one is a sample), baselines as JSON files in git.

A line is written when its sample is there, so a run that is killed leaves what it had.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO, TypeVar

from pydantic import BaseModel, ValidationError

from evals.results import Baseline, CaseInfo, Data, Identity, Results, Sample

FOLDER = Path(".deskclerk/evals/results")
BASELINES = Path("evals/baselines")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
M = TypeVar("M", bound=BaseModel)


class Unreadable(Exception):
    """A file is missing, or does not hold what it should; the message says which and where."""


class Header(Data):
    """The first line of a results file."""

    identity: Identity
    cases: tuple[CaseInfo, ...]
    started: datetime


class Footer(Data):
    """The last line, where the run was not cut off."""

    ended: datetime


class ResultsWriter:
    """Writes results while they come."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("x", encoding="utf-8")
        self._write(header)

    def add(self, sample: Sample) -> None:
        self._write(sample)

    def close(self, ended: datetime) -> None:
        self._write(Footer(ended=ended))
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def _write(self, model: BaseModel) -> None:
        self._file.write(model.model_dump_json() + "\n")
        self._file.flush()


def results_path(header: Header, folder: Path = FOLDER) -> Path:
    """Where results of this run belong: a file that sorts by time, in the suite's folder."""
    suite = re.sub(r"[^a-z0-9._-]+", "-", header.identity.suite.lower())
    return folder / suite / f"{header.started:%Y%m%dT%H%M%S.%f}.jsonl"


def read_results(path: Path) -> Results:
    """Results of a file; a last line that was cut off is left out. Raises Unreadable."""
    lines = _text(path).split("\n")
    header = _parsed(Header, lines[0], f"{path}:1")
    samples: list[Sample] = []
    ended: datetime | None = None
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        if number == len(lines):  # every whole line ends with a line feed
            break
        if line.startswith('{"ended"'):
            ended = _parsed(Footer, line, f"{path}:{number}").ended
        else:
            samples.append(_parsed(Sample, line, f"{path}:{number}"))
    return Results(
        identity=header.identity, cases=header.cases, started=header.started, ended=ended, samples=tuple(samples)
    )


def stored_results(suite: str, folder: Path = FOLDER) -> list[Path]:
    """Files with results of a suite, oldest first."""
    return sorted((folder / re.sub(r"[^a-z0-9._-]+", "-", suite.lower())).glob("*.jsonl"))


def baseline_path(name: str, folder: Path = BASELINES) -> Path:
    """Raises Unreadable for a name that is no plain file name."""
    if not NAME.fullmatch(name):
        raise Unreadable(f"A baseline is named by lower-case letters, digits, '.', '_' and '-', not {name!r}.")
    return folder / f"{name}.json"


def read_baseline(name: str, folder: Path = BASELINES) -> Baseline:
    """Raises Unreadable."""
    path = baseline_path(name, folder)
    return _parsed(Baseline, _text(path), str(path))


def write_baseline(baseline: Baseline, folder: Path = BASELINES) -> Path:
    """One case a line, sorted, so that a change reads well in git."""
    path = baseline_path(baseline.name, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = baseline.model_dump(mode="json")
    cases: dict[str, object] = data.pop("cases")
    rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(cases[name])}" for name in sorted(cases))
    head = json.dumps(data, indent=2)[:-2]
    path.write_text(f'{head},\n  "cases": {{\n{rows}\n  }}\n}}\n', encoding="utf-8")
    return path


def baseline_names(folder: Path = BASELINES) -> Iterable[str]:
    return (path.stem for path in sorted(folder.glob("*.json")))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _parsed(model: type[M], text: str, where: str) -> M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Unreadable(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
