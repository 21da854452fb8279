"""A process that does one request, tells of it, and kills itself at a named point; or goes on with what others left.

Run: `python -m tests.support.crashing_webhooks URL THREAD WHERE`, with DESKCLERK_WEBHOOK_URL and its secret set. WHERE:

* `recorded`  the webhook is committed, its delivery has not begun
* `sent`      the receiver has answered, nothing is recorded
* `noted`     the attempt is in the row, not in the engine's record
* `waiting`   between two attempts
* `never`     it lives on until standard input ends; with THREAD `-` it asks for nothing itself

It writes `ready` once it has started.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any, cast

from agent.durable.dbos import DbosEngine
from agent.principal import LOCAL
from agent.service import Agent
from agent.settings import AgentSettings
from agent.webhooks.deliveries import Deliveries
from agent.webhooks.sender import Sender
from prisma import Prisma
from tests.support.desk_tools import Desk, desk_tools
from tests.support.scripted_model import ScriptedModel, says


def die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(owner: type, name: str) -> None:
    """Let a method do its work, and then die."""
    original = getattr(owner, name)

    async def then_die(*arguments: Any, **options: Any) -> Any:
        await original(*arguments, **options)
        die()

    setattr(owner, name, then_die)


def prepare(where: str) -> None:
    match where:
        case "recorded":
            setattr(Deliveries, "begin_recorded", die)  # noqa: B010  a test double of one method
        case "sent":
            die_after(Sender, "send")
        case "noted":
            die_after(Deliveries, "_note")
        case "waiting":
            setattr(Deliveries, "_rest", die)  # noqa: B010  a test double of one method
        case _:
            pass


async def main(url: str, thread_id: str, where: str) -> None:
    prepare(where)
    async with Prisma(url) as db:
        agent = Agent.create(
            AgentSettings(),
            db=db,
            backend=ScriptedModel([says("Done.")]),
            engine=DbosEngine(url),
            invoices=cast("Any", None),
            tools=desk_tools(Desk()),
        )
        await agent.start()
        print("ready", flush=True)
        if thread_id != "-":
            await agent.wait(await agent.submit(thread_id=thread_id, input="Do it.", principal=LOCAL))
        await asyncio.to_thread(sys.stdin.read)
        await agent.stop(grace=1.0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
