"""All that is wrong with a try."""

from __future__ import annotations

from evals.case import Case
from evals.judging.answers import answer_faults
from evals.judging.calls import call_faults
from evals.judging.state import state_faults
from evals.made import Made
from evals.state import State


def faults(case: Case, before: State, after: State, made: Made) -> list[str]:
    """Each a sentence; empty when the case was done right."""
    found = [f"the run ended {status}" for status in made.statuses if status != "succeeded"]
    found += [f"with {code}" for code in made.errors]
    found += state_faults(case.expect, before, after)
    found += call_faults(case, made)
    found += answer_faults(case, made)
    return found


def before_faults(case: Case, before: State) -> list[str]:
    """What is not there that the case builds on, and what it expects that is there already."""
    named = {*case.before, *case.expect.status, *case.expect.paid}
    found = [f"{name} is not in the company" for name in sorted(named - {*before.invoices})]
    for name, status in case.before.items():
        if (row := before.invoices.get(name)) is not None and row.status != status:
            found.append(f"{name} is {row.status} at the beginning, not {status}")
    for name, status in case.expect.status.items():
        if (row := before.invoices.get(name)) is not None and row.status == status:
            found.append(f"{name} is {status} already")
    return found
