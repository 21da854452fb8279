"""What came of a try, in a form that can be compared with what came of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evals.state import InvoiceState
from evals.trying import Tried
from tools.money import Money


@dataclass(frozen=True, slots=True)
class Outcome:
    """The difference that a try made. Invoices that it drafted have no name of their own: they are told by content."""

    new: Sequence[InvoiceState]
    changed: Mapping[str, tuple[str, str | None]]
    asked: int
    tools: frozenset[str]
    said: str

    def same_as(self, other: Outcome) -> bool:
        """The same was done to the world, and a person was asked as often. What was said is left out."""
        return (self.new, self.changed, self.asked) == (other.new, other.changed, other.asked)

    @property
    def moved(self) -> Money | None:
        """The sum of new invoices; None for none, or in more than one currency."""
        totals = [Money.parse(invoice.total) for invoice in self.new]
        if len({total.currency for total in totals}) != 1:
            return None
        return Money(sum(total.minor for total in totals), totals[0].currency)


def outcome(tried: Tried) -> Outcome:
    before, after = tried.before.invoices, tried.after.invoices
    new = [replace(invoice, number=None) for name, invoice in after.items() if name not in before]
    return Outcome(
        new=sorted(new, key=str),
        changed={
            name: (now.status, now.paid)
            for name, now in after.items()
            if name in before and (now.status, now.paid) != (before[name].status, before[name].paid)
        },
        asked=tried.made.approvals,
        tools=frozenset(call.tool for call in tried.made.calls),
        said=tried.made.said[-1] if tried.made.said else "",
    )
