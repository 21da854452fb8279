"""The ledger of effects: reserved, executed, recorded; never twice.

A call that is not a read is first reserved in a statement of its own: from then on everybody knows that it may happen.

*In our own database*: in one transaction the reservation is taken (which locks its row), the tool runs on that
transaction, and the result is recorded. So the effect and its record commit together or not at all, and of two who
execute the same call the second waits, finds it executed and gets the recorded result.

*Outside*: the reservation is marked as started before the system is asked, and as executed when it has answered. Found
started and not finished, it was in flight when a process died: then `tools/system.py` says what may be done. What
nobody can know becomes `needs_reconcile`, which only a person ends.

When a run ends, its reservations that were never started are taken back, so that no straggler executes them later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from agent.digest import call_digest
from agent.durable.base import WorkLost
from agent.event_store import TX_WAIT, again
from agent.state import PlannedCall
from prisma import Prisma
from tools.errors import Conflict, OutcomeUnknown, TimedOut, ToolError
from tools.registry import AnyTool
from tools.system import Attempt, System

if TYPE_CHECKING:
    from prisma.client.models import Effect

TX_MARGIN = 5.0  # seconds that a transaction may last beyond its tool's timeout
PAUSES = (1.0, 4.0)  # seconds before the same key is sent again to a system whose answer was lost
UNKNOWN = "Nobody knows whether this call took effect; a person must look."

Run = Callable[[Prisma, Attempt], Awaitable[BaseModel]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Executes effects of one run. `attempt` is the run's fencing token: with an older one nothing is executed."""

    db: Prisma
    run_id: str
    clock: Callable[[], datetime]
    attempt: int

    def key(self, call: PlannedCall) -> str:
        """The call's idempotency key: the same for every attempt, different for every other call."""
        return f"{self.run_id}:{call.id}"

    async def execute(self, tool: AnyTool, call: PlannedCall, run: Run, *, system: System | None = None) -> BaseModel:
        """Let `run` have its effect, unless it had it already; the result is the same.

        Args:
            system: Where the effect takes place; None for our database, in a transaction of which `run` works.

        Raises:
            ToolError: What the tool said, or said before. Its effect did not take place, except for `OutcomeUnknown`:
                then nobody knows.
            WorkLost: Another process has taken the run over.
        """
        await self._reserve(tool, call, system)
        try:
            if system is not None:
                return await self._outside(tool, call, run, system)
            async for attempt in again():
                with attempt:
                    return await self._inside(tool, call, run)
        except (WorkLost, OutcomeUnknown):
            raise
        except ToolError as error:
            await self._finish(call, status="failed", error_code=error.code)
            raise
        except Exception:
            await self._finish(call, status="failed" if system is None else "needs_reconcile", error_code="internal")
            raise
        raise AssertionError("the last attempt returns or raises")

    # ------------------------------------------------------------ reserved

    async def _reserve(self, tool: AnyTool, call: PlannedCall, system: System | None) -> None:
        row: dict[str, Any] = {
            "run_id": self.run_id,
            "call_id": call.id,
            "tool": tool.name,
            "effect": tool.effect,
            "arguments": call.arguments,
            "arguments_digest": call_digest(tool.name, call.arguments),
            "idempotency_key": self.key(call),
            "provider": None if system is None else system.name,
        }
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    await self._check_token(tx)
                    known = await tx.effect.find_first(where={"run_id": self.run_id, "call_id": call.id})
                    if known is None:
                        await tx.effect.create(data=row)  # pyright: ignore[reportArgumentType]
                    elif known.arguments_digest != row["arguments_digest"]:
                        raise Conflict(f"Call {call.id!r} is in the ledger with other arguments.")

    async def _check_token(self, tx: Prisma) -> None:
        """Locks the run's row, so who takes the run over does so before this transaction, or after it."""
        if not await tx.run.update_many(
            data={"updated_at": self.clock()}, where={"id": self.run_id, "attempt": self.attempt}
        ):
            raise WorkLost(self.run_id)

    # ------------------------------------------------------------ in our database

    async def _inside(self, tool: AnyTool, call: PlannedCall, run: Run) -> BaseModel:
        async with self.db.tx(timeout=tool.timeout + TX_MARGIN, max_wait=TX_WAIT) as tx:
            taken = await tx.effect.update_many(
                data={"status": "executed", "finished_at": self.clock()},
                where={"run_id": self.run_id, "call_id": call.id, "status": "reserved"},
            )
            if taken == 0:
                return await self._recorded(tx, tool, call)
            result = await run(tx, "first")
            await tx.effect.update_many(
                data={"result": result.model_dump(mode="json"), "finished_at": self.clock()},
                where={"run_id": self.run_id, "call_id": call.id},
            )
            return result

    async def _recorded(self, tx: Prisma, tool: AnyTool, call: PlannedCall) -> BaseModel:
        row = await tx.effect.find_first(where={"run_id": self.run_id, "call_id": call.id})
        if row is not None and row.status == "executed" and row.result is None:
            raise Conflict("A person found that this call took effect; what it gave is not known.")
        if row is not None and row.status == "executed":
            return tool.result.model_validate(row.result)
        if row is not None and row.status == "failed":
            raise (TimedOut if row.error_code == TimedOut.code else Conflict)(
                f"This call failed before ({row.error_code}) and is not tried again."
            )
        raise OutcomeUnknown(UNKNOWN)

    # ------------------------------------------------------------ outside

    async def _outside(self, tool: AnyTool, call: PlannedCall, run: Run, system: System) -> BaseModel:
        for pause in (*PAUSES, None):
            started = await self._start(call)
            if started is None:
                return await self._recorded(self.db, tool, call)
            try:
                result = await run(self.db, self._attempt(started, system))
            except (OutcomeUnknown, TimedOut) as error:
                if pause is None or started >= system.repeatable_for:
                    await self._finish(call, status="needs_reconcile", error_code=OutcomeUnknown.code)
                    said = error.message if "a person must look" in error.message else f"{error.message} {UNKNOWN}"
                    raise OutcomeUnknown(said) from None
                await asyncio.sleep(pause)
            else:
                await self._finish(call, status="executed", result=result.model_dump(mode="json"))
                return result
        raise AssertionError("the last attempt returns or raises")

    async def _start(self, call: PlannedCall) -> timedelta | None:
        """How long ago the system was first asked, zero when it is about to be; None when the call has an end."""
        now = self.clock()
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    await self._check_token(tx)
                    row: Effect | None = await tx.effect.find_first(
                        where={"run_id": self.run_id, "call_id": call.id, "status": "reserved"}
                    )
                    if row is None:
                        return None
                    if row.started_at is not None:
                        return max(now - row.started_at, timedelta(microseconds=1))
                    await tx.effect.update_many(data={"started_at": now}, where={"id": row.id})
                    return timedelta(0)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, started: timedelta, system: System) -> Attempt:
        if not started:
            return "first"
        return "again" if started < system.repeatable_for else "look_up"

    async def _finish(self, call: PlannedCall, **data: Any) -> None:
        """Only who holds the token says how a call ended: another one may be executing it now.

        Raises:
            WorkLost: Another process has taken the run over.
        """
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    await self._check_token(tx)
                    await tx.effect.update_many(
                        data={"finished_at": self.clock(), **data},  # pyright: ignore[reportArgumentType]
                        where={"run_id": self.run_id, "call_id": call.id, "status": "reserved"},
                    )
