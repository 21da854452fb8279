"""A process that works on one request and kills itself at a named point.

Run: `python -m tests.support.crashing_agent URL THREAD WHERE`. WHERE is `model` (before any call), `tool` (the effect
is written, its transaction open), `recorded` (committed, nobody told yet), `answer` (the model has read the result) or
`never`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, cast

from agent.ledger import Ledger
from agent.messages import ChatMessage
from agent.principal import LOCAL
from agent.service import Agent
from agent.settings import AgentSettings
from prisma import Prisma
from tests.support.desk_tools import Desk, desk_tools
from tests.support.scripted_model import ScriptedModel, Step, asks, says


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyEvent(asyncio.Event):
    """Whoever waits for it dies."""

    async def wait(self) -> Any:
        die()


async def main(url: str, thread_id: str, where: str) -> None:
    def change(messages: Sequence[ChatMessage]) -> Step:
        if where == "model":
            die()
        return asks(("change", {"customer": "cus_acme"}))

    def answer(messages: Sequence[ChatMessage]) -> Step:
        if where == "answer":
            die()
        return says("Done.")

    if where == "recorded":
        execute = Ledger.execute

        async def execute_and_die(*arguments: Any, **options: Any) -> Any:
            await execute(*arguments, **options)
            die()

        setattr(Ledger, "execute", execute_and_die)  # noqa: B010  a test double of one method
    desk = Desk(hold=DeadlyEvent() if where == "tool" else None)
    async with Prisma(url) as db:
        agent = Agent.create(
            AgentSettings(),
            db=db,
            backend=ScriptedModel([change, answer]),
            invoices=cast("Any", None),
            tools=desk_tools(desk),
        )
        await agent.start()
        run_id = await agent.submit(thread_id=thread_id, input="Change cus_acme.", principal=LOCAL)
        async for event in agent.events(run_id):
            sys.stdout.write(f"{event.sequence} {event.type}\n")
            sys.stdout.flush()
        await agent.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
