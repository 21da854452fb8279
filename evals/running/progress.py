"""How far a run is, and what it looks like so far."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from evals.results import Sample
from evals.stats.rates import wilson

TOLD_EVERY = 10  # samples between two lines, where there is no terminal


class Tally:
    """What came so far."""

    def __init__(self) -> None:
        self.passed = self.failed = self.away = 0

    def add(self, sample: Sample) -> None:
        self.passed += sample.outcome == "passed"
        self.failed += sample.outcome == "failed"
        self.away += sample.outcome == "infrastructure"

    @property
    def done(self) -> int:
        return self.passed + self.failed + self.away

    def __str__(self) -> str:
        tried = self.passed + self.failed
        if not tried:
            return f"{self.away} could not be tried" if self.away else "nothing tried yet"
        low, high = wilson(self.passed, tried)
        away = f", {self.away} could not be tried" if self.away else ""
        return f"{self.passed} of {tried} right: {self.passed / tried:.1%} ({low:.1%} to {high:.1%}){away}"


class OnSample(Protocol):
    def __call__(self, sample: Sample) -> None: ...


@contextmanager
def show(total: int, done: Tally) -> Generator[OnSample]:
    """A bar with the estimate and its interval on standard error; plain lines where that is no terminal."""
    if not sys.stderr.isatty():

        def tell(sample: Sample) -> None:
            done.add(sample)
            if done.done % TOLD_EVERY == 0 or done.done == total:
                print(f"{done.done} of {total}; {done}", file=sys.stderr)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(str(done), total=total, completed=done.done)

        def move(sample: Sample) -> None:
            done.add(sample)
            bars.update(task, advance=1, description=str(done))

        yield move
