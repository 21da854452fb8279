"""`python -m evals.behaviour`: try the behaviours with the model of DESKCLERK_LLM, under `policy.yaml` beside this.

python -m evals.behaviour                     all of them
python -m evals.behaviour direction           those of a kind, or by name
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from agent.llm.base import Backend
from agent.llm.create import create_backend
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings
from agent.policy.load import load_policy
from agent.settings import AgentSettings
from evals.behaviour.judge import Held, judge
from evals.behaviour.model import load_behaviours
from evals.case import Case
from evals.suite import load
from evals.trying import Tried, attempt
from evals.worlds import Worlds
from tools.registry import catalog

POLICY = Path(__file__).with_name("policy.yaml")


async def behave(
    settings: AgentSettings, backend_for: Callable[[Case], Backend], *, only: Sequence[str] = ()
) -> AsyncGenerator[Held]:
    """Each behaviour, tried; `backend_for` gives the model for a request."""
    cases = {case.name: case for case in load()}
    with tempfile.TemporaryDirectory(prefix="deskclerk-behaviour-") as folder:
        first = next(iter(cases.values()))
        policy = load_policy(POLICY, catalog())
        async with Worlds(Path(folder), settings, backend_for(first), size=1, policy=policy) as worlds:

            async def try_it(case: Case) -> Tried:
                return await attempt(case, worlds, backend_for(case))

            for behaviour in load_behaviours():
                if not only or {behaviour.kind, behaviour.name} & set(only):
                    yield await judge(behaviour, cases, try_it)


async def _main(only: Sequence[str]) -> int:
    settings = AgentSettings()
    backend = create_backend(settings.llm, LlmSettings())
    await backend.start()
    held = tried = 0
    try:
        async for result in behave(settings, lambda _: backend, only=only):
            tried += 1
            held += not result.faults
            print(f"{'held' if not result.faults else 'BROKEN'} {result.kind} {result.name}", flush=True)
            for fault in result.faults:
                print(f"      {fault}")
    finally:
        await backend.stop()
    print(f"{backend.name}: {held} of {tried} behaviours held")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_main(sys.argv[1:])))
    except ModelError as error:
        sys.exit(str(error))
