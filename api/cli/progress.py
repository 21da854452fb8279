"""Bars for what takes longer than two seconds: fetching weights, loading a model, compiling the planner."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.llm.base import OnProgress, Progress

STEPS_TOLD = 10  # per cent between two lines, where there is no terminal


@contextmanager
def show_progress() -> Generator[OnProgress]:
    """A place to report progress to. Bars on standard error, gone when done; plain lines where that is no terminal."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, TextColumn("{task.fields[amount]}"), console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def on_progress(progress: Progress) -> None:
            if progress.what not in tasks:
                for earlier in bars.tasks:  # what cannot say how far it is has ended when the next begins
                    bars.update(earlier.id, visible=earlier.visible and earlier.total is not None)
                tasks[progress.what] = bars.add_task(progress.what, total=progress.total, amount="")
            done = progress.total is not None and progress.done >= progress.total
            bars.update(
                tasks[progress.what],
                total=progress.total,
                completed=progress.done,
                amount=amount(progress),
                visible=not done,
            )

        yield on_progress


def amount(progress: Progress) -> str:
    """How much is there, where that is bytes: `0.4 of 1.1 GB`."""
    if progress.unit != "B" or progress.total is None:
        return ""
    return f"{progress.done / 1e9:.1f} of {progress.total / 1e9:.1f} GB"


class _Lines:
    """A line when something begins, and at each tenth of it."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def __call__(self, progress: Progress) -> None:
        share = 100 * progress.done // progress.total if progress.total else 0
        step = share - share % STEPS_TOLD
        if self._told.get(progress.what, -1) >= step:
            return
        self._told[progress.what] = step
        print(f"{progress.what}: {step} %" if progress.total else f"{progress.what} ...", file=sys.stderr, flush=True)
