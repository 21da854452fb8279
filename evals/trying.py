"""One try of one case in a world of its own."""

from __future__ import annotations

from dataclasses import dataclass

from agent.llm.base import Backend
from evals.case import Case
from evals.desks.local import LocalDesk
from evals.driving import drive
from evals.judging.verdict import before_faults, faults
from evals.made import Made
from evals.seeding import apply
from evals.state import State, state_of
from evals.worlds import Worlds


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
        await apply(world.db, case.seed)
        before = world.state if not case.seed.model_fields_set else await state_of(world.db)
        world.backend.now = backend
        made = await drive(case, LocalDesk(world.agent, world.db, case.role))
        after = await state_of(world.db)
    return Tried(made, before, after, faults(case, before, after, made), before_faults(case, before))
