"""Runs, read from the database for one caller."""

from __future__ import annotations

from agent import access
from agent.principal import Principal
from agent.records import ENDED
from agent.run_view import Run, view_run
from api.problems import Problem
from prisma import Prisma


def run_not_found(run_id: str) -> Problem:
    return Problem(404, "run_not_found", f"No run {run_id!r}.")


async def find_run(db: Prisma, principal: Principal, run_id: str) -> Run:
    """A run as the API shows it.

    Raises:
        Problem: 404 when it is not there, or the caller cannot see it.
    """
    run = await view_run(db, {**access.runs(principal), "id": run_id})
    if run is None:
        raise run_not_found(run_id)
    return run


async def nothing_more(db: Prisma, principal: Principal, run_id: str, *, after: int) -> bool:
    """Whether the run has ended and has no event above `after`.

    Raises:
        Problem: 404 when it is not there, or the caller cannot see it.
    """
    row = await db.run.find_first(where={**access.runs(principal), "id": run_id}, omit={"state": True, "request": True})
    if row is None:
        raise run_not_found(run_id)
    if row.status not in ENDED:
        return False
    if after >= row.last_sequence:
        return True
    return not await db.event.count(where={"run_id": run_id, "sequence": {"gt": after}})  # deleted with its thread
