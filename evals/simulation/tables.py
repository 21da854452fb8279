"""What the simulation found, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeVar

from evals.simulation.trials import Cell, Outcome

MOST_ALARMS, LEAST_POWER, MOST_RUNS = 0.05, 0.90, 70
Outcomes = Mapping[Cell, Outcome]
K = TypeVar("K", bound=tuple[Any, ...])


def error_table(null: Outcomes) -> Iterator[str]:
    yield "## False alarms\n"
    yield "Nothing changed; the share of gates that said `regressed`, one run at once / eight at once.\n"
    yield from _grid(null, lambda o: _marked(o.regressed, o.regressed > MOST_ALARMS), ("none",))
    high = [cell for cell, outcome in null.items() if outcome.regressed > MOST_ALARMS]
    worst = max(outcome.regressed for outcome in null.values())
    yield f"\nAt most {worst:.1%}; {len(high)} of {len(null)} cells are above {MOST_ALARMS:.0%}.\n"


def power_table(drops: Outcomes) -> Iterator[str]:
    yield "## Power\n"
    yield "The mean pass rate fell by 10 points; the share that said `regressed`, one run at once / eight at once.\n"
    yield from _grid(drops, lambda o: _marked(o.regressed, o.regressed < LEAST_POWER), ("uniform", "concentrated"))
    weak = missed(drops)
    least = min(outcome.regressed for outcome in drops.values())
    yield f"\nAt least {least:.1%}; below {LEAST_POWER:.0%} in {len(weak)} cells, which the last section names.\n"


def runs_table(outcomes: Outcomes) -> Iterator[str]:
    yield "## Runs until the verdict, on average\n"
    yield "One run at once / eight at once.\n"
    yield from _grid(outcomes, lambda o: f"{o.runs:.1f}", ("none", "uniform", "concentrated"))
    usual = {cell: o.runs for cell, o in outcomes.items() if (cell.cases, cell.mean) == (60, 0.85)}
    yield f"\nAt 60 cases and .85: {sum(usual.values()) / len(usual):.1f} over these cells, with a suite at worst"
    for (shape, repeats), cells in _grouped(usual, lambda c: (c.shape, c.repeats)):
        yield f"- {shape}, {repeats} repeats: {_marked_runs(max(usual[cell] for cell in cells))}"
    yield ""


def by_drop(curve: Outcomes, five: Outcomes) -> Iterator[str]:
    yield "## The power curve, at 60 cases and .85\n"
    yield "The share that said `regressed`, by how far the mean pass rate fell.\n"
    drops = sorted({cell.drop for cell in curve})
    yield from _table(
        ["suite", "repeats", "drop", *(f"{drop * 100:.0f} points" for drop in drops)],
        [
            [key[0], str(key[1]), key[2], *(f"{curve[replace(first, drop=drop)].regressed:.1%}" for drop in drops)]
            for key, (first, *_) in _grouped(curve, lambda c: (c.shape, c.repeats, c.change))
        ],
    )
    yield "\n## Power for a drop of 5 points\n"
    yield from _grid(five, lambda o: f"{o.regressed:.1%}", ("uniform", "concentrated"))


def missed(drops: Outcomes) -> list[Cell]:
    """Cells, one run at once, whose power is too low with one or eight at once."""
    found = [replace(cell, at_once=1) for cell, outcome in drops.items() if outcome.regressed < LEAST_POWER]
    return list(dict.fromkeys(found))


def remedies_table(weak: Sequence[Cell], drops: Outcomes, remedies: Outcomes) -> Iterator[str]:
    yield "\n## Where a drop of 10 points cannot be told with 90% power, and what would do\n"
    if not weak:
        yield "Nowhere."
        return
    rows: list[list[str]] = []
    for cell in weak:
        best = remedied(cell, remedies)
        done = (
            f"{best[0].repeats} repeats and up to {best[0].max_runs} runs ({best[1].runs:.0f} on average): "
            f"{best[1].regressed:.1%}"
            if best
            else "nothing that was tried: the suite needs more cases"
        )
        rows.append([*_name(cell), cell.change, f"{drops[cell].regressed:.1%}", f"{drops[cell].runs:.0f}", done])
    yield from _table(["suite", "cases", "mean", "repeats", "drop", "power", "runs", "what would do"], rows)


def remedied(cell: Cell, remedies: Outcomes) -> tuple[Cell, Outcome] | None:
    """What was enough for a cell whose power is too low, at the least cost."""
    more = [(c, o) for c, o in remedies.items() if _alike(c, cell) and c != cell]
    enough = [(c, o) for c, o in more if o.regressed >= LEAST_POWER]
    return min(enough, key=lambda pair: (pair[0].repeats, pair[0].max_runs), default=None)


def _alike(remedy: Cell, cell: Cell) -> bool:
    return replace(remedy, repeats=cell.repeats, max_runs=cell.max_runs) == cell


def _grid(outcomes: Outcomes, show: Callable[[Outcome], str], changes: Sequence[str]) -> Iterator[str]:
    rows = [
        [
            *key,
            *(" / ".join(show(outcomes[c]) for c in cells if c.change == change) for change in changes),
        ]
        for key, cells in _grouped(outcomes, _name)
    ]
    yield from _table(
        ["suite", "cases", "mean", "repeats", *(c if c != "none" else "no change" for c in changes)], rows
    )


def _grouped(outcomes: Iterable[Cell], key: Callable[[Cell], K]) -> list[tuple[K, list[Cell]]]:
    return [(name, list(cells)) for name, cells in groupby(sorted(outcomes, key=key), key)]


def _name(cell: Cell) -> tuple[str, str, str, str]:
    return cell.shape, f"{cell.cases:3d}", f"{cell.mean:.2f}", f"{cell.repeats:2d}"


def _marked_runs(runs: float) -> str:
    return f"**{runs:.1f}**" if runs > MOST_RUNS else f"{runs:.1f}"


def _marked(share: float, bad: bool) -> str:
    return f"**{share:.1%}**" if bad else f"{share:.1%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.strip() for cell in row)} |"
