"""What differs from what was expected, in words. Nothing that the model said is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evals.requests.cases import Expected, NewInvoice
from evals.requests.drive import Made
from evals.requests.world import InvoiceState, State
from tools.money import Money


def faults(expected: Expected, before: State, after: State, made: Made) -> list[str]:
    """Everything that is wrong; empty when the request was done right."""
    found = [f"the run ended {status}" for status in made.statuses if status != "succeeded"]
    found += _old_invoices(expected, before, after)
    found += _new_invoices(expected.invoices, before, after)
    invoiced = {invoice.order for invoice in expected.invoices if invoice.order}
    if not invoiced and after.orders != before.orders:
        found.append("a purchase order was recorded")
    for call in expected.calls:
        for tool, arguments in call.items():
            if not any(done.tool == tool and _within(arguments, done.arguments) for done in made.calls):
                found.append(f"{tool} was not called with {arguments}")
    if expected.approvals is not None and made.approvals != expected.approvals:
        found.append(f"a person was asked {made.approvals} times, not {expected.approvals}")
    return found


def _old_invoices(expected: Expected, before: State, after: State) -> list[str]:
    found = [f"{name} is not in the demo company" for name in {*expected.status, *expected.paid} - {*before.invoices}]
    for name, was in before.invoices.items():
        now = after.invoices.get(name)
        if now is None:
            found.append(f"{name} is gone")
            continue
        if now.status != (wanted := expected.status.get(name, was.status)):
            found.append(f"{name} is {now.status}, not {wanted}")
        if _added(was.paid, now.paid) != expected.paid.get(name):
            found.append(f"{name} was paid {_added(was.paid, now.paid)}, not {expected.paid.get(name)}")
        if (was.lines, was.total) != (now.lines, now.total):
            found.append(f"{name} has other lines")
    return found


def _added(before: str | None, after: str | None) -> str | None:
    if before is None or after is None:
        return after
    was, now = Money.parse(before), Money.parse(after)
    return None if was == now else str(Money(now.minor - was.minor, now.currency))


def _new_invoices(wanted: Sequence[NewInvoice], before: State, after: State) -> list[str]:
    """Each wanted invoice takes one new one; what is left on either side is wrong."""
    left = {name: invoice for name, invoice in after.invoices.items() if name not in before.invoices}
    found: list[str] = []
    for invoice in wanted:
        match = next((name for name, new in left.items() if _fits(invoice, new)), None)
        if match is None:
            found.append(f"there is no new invoice with {invoice.model_dump(exclude_none=True)}")
        else:
            del left[match]
    return found + [f"there is a new invoice: {new}" for new in left.values()]


def _fits(wanted: NewInvoice, new: InvoiceState) -> bool:
    return (
        (wanted.customer, wanted.status, wanted.paid) == (new.customer, new.status, new.paid)
        and wanted.lines in (None, new.lines)
        and wanted.total in (None, new.total)
        and wanted.order in (None, new.order)
    )


def _within(part: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    return all(name in whole and whole[name] == value for name, value in part.items())
