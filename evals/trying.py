"""One try of one case in a world of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agent.llm.base import Backend
from evals.case import Case, Seed
from evals.desks.local import LocalDesk
from evals.desks.remote import RemoteDesk
from evals.driving import drive
from evals.judging.verdict import before_faults, faults
from evals.made import Made
from evals.seeding import apply, replace_records
from evals.state import State, state_of
from evals.worlds import Worlds
from prisma import Prisma

UNCHANGED = Seed()


@dataclass(frozen=True, slots=True)
class Tried:
    """`faults` is empty when the case was done right; `unfit` when the case itself can be tried at all."""

    made: Made
    before: State
    after: State
    faults: list[str]
    unfit: list[str]


async def attempt(case: Case, worlds: Worlds, backend: Backend) -> Tried:
    """Let `backend` do the case."""
    async with worlds.lend() as world:
        before = world.state  # a world that is lent is as it was seeded
        if case.seed != UNCHANGED:
            await apply(world.db, case.seed)
            before = await world.state_now()
        world.backend.now = backend
        made = await drive(case, LocalDesk(world.agent, world.db, case.role))
        after = await world.state_now()
    return Tried(made, before, after, faults(case, before, after, made), before_faults(case, before))


async def attempt_at(case: Case, desk: RemoteDesk, db: Prisma) -> Tried:
    """Let a server do the case. `db` is the server's own database, whose records are replaced first."""
    await replace_records(db)
    await apply(db, case.seed)
    before = await state_of(db, today=datetime.now(UTC).date())
    made = await drive(case, desk)
    after = await state_of(db, today=datetime.now(UTC).date())
    return Tried(made, before, after, faults(case, before, after, made), before_faults(case, before))
