"""`deskclerk`, but it kills itself where the environment variable `DIE_AT` says.

`DIE_AT` is `POINT` or `POINT:N`, the Nth time that the process passes the point (see `POINTS`). Without it nothing is
different.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

POINTS = {
    "submitted": "the run is recorded, and no engine knows of it",
    "begun": "the engine knows of it, and nothing was done",
    "turn": "its turn has come",
    "model": "the model has answered, and nothing is recorded",
    "model-recorded": "the model's answer is recorded, and nobody was told",
    "asked": "a person is asked, and nobody was told",
    "reserved": "an effect is reserved, and has not begun",
    "started": "an effect outside is marked as started, and nobody was asked for it",
    "executed": "an effect is executed, and its step is not recorded",
    "told": "what a step told is stored, and its step is not recorded",
    "recorded": "a call's step is recorded, and its result was not told",
    "resting": "the run is about to rest",
    "rested": "the run rests, and the engine does not know",
    "decided": "a decision is recorded, and no engine knows of the next stretch",
    "resumed": "the engine knows of it, and the answer was not sent",
    "claimed": "a dead process's run is taken over, and nothing was done",
    "events": "events were stored, and the log does not know",
    "commit": "a transaction is about to be committed",
    "committed": "a transaction is committed, and nobody knows",
    "engine-commit": "the engine is about to commit a transaction of its own",
}


OFTEN = {  # passed more than once in a run: also die at these times
    "reserved": (2, 3),
    "started": (2, 3),
    "executed": (2, 3),
    "model": (2, 4),
    "model-recorded": (2, 4),
    "recorded": (2, 4),
    "told": (2, 4),
    "resting": (2,),
    "rested": (2,),
    **dict.fromkeys(("commit", "committed", "engine-commit"), range(2, 30, 3)),
}


def every_point(*, outside: bool) -> list[str]:
    """All that `DIE_AT` may be. `outside`: effects take place outside our database."""
    points = [name for name in POINTS if outside or name != "started"]
    return [at for name in points for at in (name, *(f"{name}:{count}" for count in OFTEN.get(name, ())))]


def arm(where: str) -> None:
    """Let this process die at a point."""
    name, _, count = where.partition(":")
    left = int(count or 1)

    def passed(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    _patch(passed)


def _wrap(
    owner: Any, method: str, *, before: Callable[..., None] | None = None, after: Callable[..., None] | None = None
) -> None:
    original = getattr(owner, method)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before is not None:
            before(*args, **kwargs)
        result = await original(*args, **kwargs)
        if after is not None:
            after(*args, **kwargs)
        return result

    setattr(owner, method, wrapped)


def _patch(passed: Callable[[str], None]) -> None:
    from sqlalchemy import Engine, event

    import agent.steps
    from agent.approvals import Approvals
    from agent.durable.dbos import DbosEngine
    from agent.emitter import Emitter
    from agent.event_store import EventStore
    from agent.ledger import Ledger
    from agent.rest_store import RestStore
    from agent.run_store import RunStore
    from agent.runner import Runner
    from agent.stretch import Stretches
    from prisma.engine.transaction import Transaction

    def at(point: str) -> Callable[..., None]:
        return lambda *_, **__: passed(point)

    def recorded(engine: Any, name: str, work: Any) -> None:
        passed("model-recorded" if name == "model" else "recorded")

    _wrap(RunStore, "create", after=at("submitted"))
    _wrap(Runner, "start", after=at("begun"))
    _wrap(Stretches, "work_on", before=at("turn"))
    _wrap(DbosEngine, "step", after=recorded)
    _wrap(Emitter, "stored", after=at("told"))
    _wrap(Approvals, "ask", after=at("asked"))
    _wrap(Approvals, "decide", after=at("decided"))
    _wrap(Runner, "go_on", after=at("resumed"))
    _wrap(Ledger, "_reserve", after=at("reserved"))
    _wrap(Ledger, "_start", after=at("started"))
    _wrap(Ledger, "execute", after=at("executed"))
    _wrap(RestStore, "rest", before=at("resting"), after=at("rested"))
    _wrap(RunStore, "claim", after=at("claimed"))
    _wrap(EventStore, "write", after=at("events"))
    _wrap(Transaction, "commit", before=at("commit"), after=at("committed"))
    event.listen(Engine, "commit", at("engine-commit"))

    original = agent.steps.recorded

    async def model_then(deps: Any, emitter: Any, name: str, work: Any, **more: Any) -> Any:
        async def work_then() -> Any:
            result = await work()
            if name == "model":
                passed("model")
            return result

        return await original(deps, emitter, name, work_then, **more)

    import agent.model_step

    agent.model_step.recorded = model_then


def run() -> None:
    """The command line, armed where `DIE_AT` says so."""
    if where := os.environ.get("DIE_AT"):
        arm(where)
    from api.cli import main

    main()


if __name__ == "__main__":
    sys.argv[0] = "deskclerk"
    run()
