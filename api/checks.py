"""What `/readyz` asks of each part. None of it says where a part is, or with which password it is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.llm.errors import ModelError
from api.observing.readiness import Check, NotWorking, Part

if TYPE_CHECKING:
    from agent.service import Agent
    from prisma import Prisma

LONGEST_LAG = 10.0  # seconds that events may wait to be stored


def checks_of(db: Prisma, agent: Agent) -> dict[Part, Check]:
    """The database, the model and the queue of an open service."""

    async def database() -> None:
        await db.query_raw("SELECT 1 AS one")

    async def model() -> None:
        try:
            await agent.check_model()
        except ModelError as error:
            raise NotWorking(error.code) from None  # its message names addresses

    async def queue() -> None:
        load = agent.load
        if load.full:
            raise NotWorking("full")
        if not load.writes:
            raise NotWorking("its writer has ended")
        if load.writer_lag_seconds > LONGEST_LAG:
            raise NotWorking("behind")

    return {"database": database, "model": model, "queue": queue}
