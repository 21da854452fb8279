"""What people thought of answers, and how far the judge agrees with them.

`evals/judge/labels.jsonl`, one row an answer:
    {"said": ["Which invoices are open?"], "answered": ["INV-0007, 119.00 EUR."], "good": true, "by": "k.berg"}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from evals.results import Data
from evals.stats.agreement import cohens_kappa, gwets_ac1, raw_agreement
from evals.stats.rates import wilson
from evals.stored import Unreadable

LABELS = Path(__file__).with_name("labels.jsonl")


class Label(Data):
    """A person's judgement of one conversation."""

    said: Annotated[tuple[str, ...], Field(min_length=1)]
    answered: Annotated[tuple[str, ...], Field(min_length=1)]
    good: bool
    by: Annotated[str, Field(min_length=1, description="Who judged.")]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the judge with people. `unanswered`: labels of which the judge had no opinion."""

    pairs: Sequence[tuple[bool, bool]]
    unanswered: int

    def __str__(self) -> str:
        if not self.pairs:
            return "The judge's agreement with people is not measured: there are no labels that it had an opinion of."
        low, high = wilson(sum(a == b for a, b in self.pairs), len(self.pairs))
        return (
            f"The judge agrees with people on {raw_agreement(self.pairs):.1%} of {len(self.pairs)} labels "
            f"(95% interval {low:.1%} to {high:.1%}); Cohen's kappa {cohens_kappa(self.pairs):.2f}, "
            f"Gwet's AC1 {gwets_ac1(self.pairs):.2f}; no opinion of {self.unanswered}."
        )


def read_labels(path: Path = LABELS) -> list[Label]:
    """The stored labels; none where there is no file. Raises Unreadable."""
    return list(_rows(path)) if path.exists() else []


def _rows(path: Path) -> Iterable[Label]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield Label.model_validate_json(line)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(map(str, first["loc"]))
                raise Unreadable(f"{path}:{number}: {where}: {first['msg']}.") from error
