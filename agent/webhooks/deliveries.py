"""Webhooks from the transaction that brings a run to rest until the receiver has them.

The row is written in that very transaction, so a run never rests without it. Delivering it is a piece of work of the
engine, each attempt a recorded step. A process that dies

* before the commit, has left neither rest nor row: whoever takes the run over writes both;
* after it and before the work began, is found dead, or its row is found in the next sweep: the work begins then;
* in an attempt, or after it and before its record: the attempt is made again, with the same `webhook-id`;
* after the attempt is in the row: it is not made again;
* between two attempts: the engine goes on waiting, for what is left.

So none is lost, and a crash repeats at most the attempt that was under way.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from agent.durable.base import Engine, WorkLost
from agent.event_store import again
from agent.run_view import view_run
from agent.webhooks.sender import Answer, Sender

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Delivery
    from prisma.client.types import DeliveryWhereInput

log = logging.getLogger(__name__)

HANDLER = "webhook"
# Seconds between two attempts, as Standard Webhooks has them: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
DELAYS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
JITTER = 0.1  # of a delay, more or less
LONGEST_WAIT = 86_400.0  # seconds; a receiver may not ask for more
ROWS = 500  # looked at in one sweep


def work_id(delivery_id: str) -> str:
    """The engine's name for the work of delivering it."""
    return f"{HANDLER}:{delivery_id}"


@dataclass(slots=True)
class Deliveries:
    """The webhooks of this process. Without a `sender` none is written, and those that are there wait for one."""

    db: Prisma
    engine: Engine
    replica_id: str
    clock: Callable[[], datetime]
    sender: Sender | None
    _recorded: dict[str, str] = field(default_factory=dict[str, str])
    _tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict[str, asyncio.Task[Any]])
    _resting: set[str] = field(default_factory=set[str])
    _stopping: bool = False

    # ------------------------------------------------------------ written

    async def record(self, tx: Prisma, run_id: str) -> None:
        """Write the webhook of a run that rests, in the transaction that brings it to rest."""
        if self.sender is None:
            return
        row = await tx.run.find_unique_or_raise(where={"id": run_id})
        run = await view_run(tx, {"id": run_id})
        assert run is not None
        kind, at = f"run.{run.status}", run.finished_at or self.clock()
        body = {"type": kind, "timestamp": at, "data": run.model_dump(mode="json")}
        written = await tx.delivery.create(
            data={
                "tenant_id": row.tenant_id,
                "run_id": run_id,
                "type": kind,
                "body": orjson.dumps(body, option=orjson.OPT_UTC_Z).decode(),
                "owner_id": self.replica_id,
            }
        )
        self._recorded[run_id] = written.id

    def begin_recorded(self, run_id: str) -> None:
        """Begin to deliver what `record` wrote, after its transaction."""
        if (delivery_id := self._recorded.pop(run_id, None)) is not None:
            name = f"begin:{delivery_id}"
            self._tasks[name] = task = asyncio.create_task(self._begin(delivery_id), name=name)
            task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def _begin(self, delivery_id: str) -> None:
        try:
            await self.engine.begin(HANDLER, work_id(delivery_id), delivery_id)
        except Exception:
            log.exception("webhook_not_begun", extra={"delivery_id": delivery_id})  # the next sweep begins it

    # ------------------------------------------------------------ a piece of the engine's work

    async def handle(self, delivery_id: str) -> None:
        """The engine's handler: try until the receiver has it, does not want it, or the last attempt has failed."""
        task = asyncio.current_task()
        if self._stopping or task is None:
            raise asyncio.CancelledError
        self._tasks[delivery_id] = task
        try:
            await self._deliver(delivery_id)
        except WorkLost:
            raise asyncio.CancelledError from None  # it is another's, unfinished
        finally:
            if self._tasks.get(delivery_id) is task:
                del self._tasks[delivery_id]

    async def _deliver(self, delivery_id: str) -> None:
        number = await self.engine.step("take up", lambda: self._made(delivery_id))
        wait: float | None = 0.0
        while wait is not None:
            if wait:
                await self._rest(delivery_id, wait)
            number += 1
            wait = await self._attempt(delivery_id, number)

    async def _attempt(self, delivery_id: str, number: int) -> float | None:
        return await self.engine.step(f"attempt {number}", lambda: self._try(delivery_id, number))

    async def _rest(self, delivery_id: str, seconds: float) -> None:
        self._resting.add(delivery_id)
        try:
            if self._stopping:
                raise asyncio.CancelledError
            await self.engine.sleep(seconds)
        finally:
            self._resting.discard(delivery_id)

    async def _made(self, delivery_id: str) -> int:
        """Attempts that were made already, by work that an engine knows nothing of any more."""
        row = await self._row(delivery_id)
        return 0 if row is None else row.attempts

    async def _row(self, delivery_id: str) -> Delivery | None:
        async for attempt in again(math.inf):  # what a step raises is its result, for ever: a database comes back
            with attempt:
                return await self.db.delivery.find_unique(where={"id": delivery_id})
        raise AssertionError("it is tried until it works")

    async def _try(self, delivery_id: str, number: int) -> float | None:
        """Make an attempt. Returns the seconds until the next; None when there is none."""
        row = await self._row(delivery_id)
        if row is None or row.status != "pending":
            return None
        if row.attempts >= number:
            return wait_after(number)  # it was made, and its record in the engine was lost
        sender = self.sender
        answer = Answer("No address is configured.") if sender is None else await sender.send(row.id, row.body)
        wait = None if not answer.problem or answer.gone else wait_after(number, retry_after=answer.retry_after)
        async for attempt in again(math.inf):
            with attempt:
                await self._note(delivery_id, number, answer, ended=wait is None)
        return wait

    async def _note(self, delivery_id: str, number: int, answer: Answer, *, ended: bool) -> None:
        status = ("failed" if answer.problem else "delivered") if ended else "pending"
        await self.db.delivery.update_many(
            data={
                "status": status,
                "attempts": number,
                "last_error": answer.problem or None,
                "owner_id": self.replica_id,
                "finished_at": self.clock() if ended else None,
            },
            where={"id": delivery_id, "status": "pending"},
        )
        if answer.problem:
            extra = {"delivery_id": delivery_id, "attempt": number, "problem": answer.problem}
            log.warning("webhook_failed" if ended else "webhook_not_delivered", extra=extra)

    # ------------------------------------------------------------ other processes

    async def take_over(self, replica_id: str) -> None:
        """Deliver what a dead process has written and not delivered."""
        await self._adopt({"owner_id": replica_id})

    async def adopt_orphans(self, replica_ids: Sequence[str]) -> None:
        """Deliver what no known process sees to, and what we meant to begin and did not."""
        await self._adopt({"OR": [{"owner_id": None}, {"owner_id": {"not_in": list(replica_ids)}}]})
        at_work = [name for name in self._tasks if not name.startswith("begin:")]
        await self._adopt({"owner_id": self.replica_id, "id": {"not_in": at_work[:ROWS]}})

    async def _adopt(self, where: DeliveryWhereInput) -> None:
        rows = await self.db.delivery.find_many(
            where={"status": "pending", "AND": [where]}, order={"created_at": "asc"}, take=ROWS, omit={"body": True}
        )
        for row in rows:
            taken = await self.db.delivery.update_many(
                data={"owner_id": self.replica_id}, where={"id": row.id, "owner_id": row.owner_id, "status": "pending"}
            )
            if taken:
                await self._see_to(row.id)

    async def _see_to(self, delivery_id: str) -> None:
        name = work_id(delivery_id)
        known = await self.engine.status(name)
        if known == "finished":  # and the row is pending: its work broke, by a bug
            log.warning("webhook_begun_again", extra={"delivery_id": delivery_id})
            await self.engine.forget([name])
        if known != "unfinished":
            await self.engine.begin(HANDLER, name, delivery_id)

    async def stop(self, *, grace: float) -> None:
        """Let attempts that are under way end for `grace` seconds; the rest goes on after the next start."""
        self._stopping = True
        for delivery_id in self._resting:
            self._tasks[delivery_id].cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.sender is not None:
            with suppress(Exception):
                await self.sender.close()


def wait_after(number: int, *, retry_after: float = 0.0) -> float | None:
    """Seconds to wait after so many failed attempts, spread a little; None when there is no further one."""
    if number > len(DELAYS):
        return None
    delay = DELAYS[number - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  not a secret
    return max(delay, min(retry_after, LONGEST_WAIT))
