"""What differs in the database from what was expected, in words."""

from __future__ import annotations

from collections.abc import Sequence

from evals.case import Expected, NewInvoice
from evals.state import InvoiceState, State
from tools.money import Money


def state_faults(expected: Expected, before: State, after: State) -> list[str]:
    """Everything that is not as it must be; what was not named must be as it was."""
    found = _old_invoices(expected, before, after)
    found += _new_invoices(expected.invoices, before, after)
    invoiced = {invoice.order for invoice in expected.invoices if invoice.order}
    if not invoiced and after.orders != before.orders:
        found.append("a purchase order was recorded")
    if changed := sorted(after.records ^ before.records):
        found.append(f"records changed: {'; '.join(changed)}")
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
        and wanted.due_days in (None, new.due_days)
    )
