"""`deskclerk evals check`: the cases themselves are right. No model is needed.

Of each case: what it builds on is there, its solution passes, and an agent that does nothing, one that only talks, and
each one of `wrong` fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from pydantic import BaseModel

from agent.settings import AgentSettings
from evals.case import Case, Turn
from evals.solutions import SolutionBackend, idle, talker
from evals.trying import attempt
from evals.worlds import Worlds


class Proof(BaseModel):
    """What is wrong with a case; nothing when `problems` is empty. `seconds` is what its solution took."""

    case: str
    problems: list[str]
    seconds: float = 0.0


async def prove(cases: Sequence[Case]) -> AsyncGenerator[Proof]:
    """Each case's proof, one after the other."""
    with tempfile.TemporaryDirectory(prefix="deskclerk-evals-") as folder:
        async with Worlds(Path(folder), bare_settings(), SolutionBackend(()), size=1, policy=None) as worlds:
            for case in cases:
                yield await _prove(case, worlds)


def bare_settings() -> AgentSettings:
    """The agent's own settings, whatever this machine's environment says."""
    return AgentSettings.model_construct()


async def _prove(case: Case, worlds: Worlds) -> Proof:
    right = await attempt(case, worlds, SolutionBackend(case.solution))
    problems = [*right.unfit, *(f"its solution fails: {fault}" for fault in right.faults)]
    wrong: dict[str, Sequence[Turn]] = {"does nothing": idle(case), "only talks": talker(case), **case.wrong}
    for name, turns in wrong.items():
        tried = await attempt(case, worlds, SolutionBackend(turns))
        if not tried.faults:
            problems.append(
                f"an agent that {name} passes" if name in ("does nothing", "only talks") else f"{name} passes"
            )
    return Proof(case=case.name, problems=problems, seconds=round(right.made.seconds, 3))
