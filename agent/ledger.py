"""The ledger of effects: reserved, executed, recorded; never twice.

A call that is not a read is first reserved in a statement of its own: from then on everybody knows that it may happen.
Then, in one transaction, the reservation is taken (which locks its row), the tool runs on that transaction, and the
result is recorded. So a local effect and its record commit together or not at all, and of two who execute the same call
the second waits, finds it executed and gets the recorded result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from agent.digest import call_digest
from agent.event_store import again
from agent.state import PlannedCall
from prisma import Prisma
from prisma.errors import UniqueViolationError
from tools.errors import Conflict, TimedOut, ToolError
from tools.registry import AnyTool

TX_MARGIN = 5.0  # seconds that a transaction may last beyond its tool's timeout
TX_WAIT = 30.0  # seconds to wait for a connection


@dataclass(frozen=True, slots=True)
class Ledger:
    """Executes effects of one run."""

    db: Prisma
    run_id: str
    clock: Callable[[], datetime]

    def key(self, call: PlannedCall) -> str:
        """The call's idempotency key: the same for every attempt, different for every other call."""
        return f"{self.run_id}:{call.id}"

    async def execute(
        self, tool: AnyTool, call: PlannedCall, run: Callable[[Prisma], Awaitable[BaseModel]]
    ) -> BaseModel:
        """Let `run` have its effect in a transaction, unless it had it already; the result is the same.

        Raises:
            ToolError: What the tool said, or said before. Its effect, if local, did not happen.
        """
        await self._reserve(tool, call)
        try:
            async for attempt in again():
                with attempt:
                    return await self._once(tool, call, run)
        except ToolError as error:
            await self._fail(call, error.code)
            raise
        except Exception:
            await self._fail(call, "internal")
            raise
        raise AssertionError("the last attempt returns or raises")

    async def _reserve(self, tool: AnyTool, call: PlannedCall) -> None:
        row: dict[str, Any] = {
            "run_id": self.run_id,
            "call_id": call.id,
            "tool": tool.name,
            "effect": tool.effect,
            "arguments": call.arguments,
            "arguments_digest": call_digest(tool.name, call.arguments),
            "idempotency_key": self.key(call),
        }
        async for attempt in again():
            with attempt:
                try:
                    await self.db.effect.create(data=row)  # pyright: ignore[reportArgumentType]
                except UniqueViolationError:
                    await self._refuse_changed(row)

    async def _refuse_changed(self, row: dict[str, Any]) -> None:
        known = await self.db.effect.find_first(where={"run_id": self.run_id, "call_id": row["call_id"]})
        if known is None or known.arguments_digest != row["arguments_digest"]:
            raise Conflict(f"Call {row['call_id']!r} is in the ledger with other arguments.")

    async def _once(self, tool: AnyTool, call: PlannedCall, run: Callable[[Prisma], Awaitable[BaseModel]]) -> BaseModel:
        async with self.db.tx(timeout=tool.timeout + TX_MARGIN, max_wait=TX_WAIT) as tx:
            taken = await tx.effect.update_many(
                data={"status": "executed", "finished_at": self.clock()},
                where={"run_id": self.run_id, "call_id": call.id, "status": "reserved"},
            )
            if taken == 0:
                return await self._recorded(tx, tool, call)
            result = await run(tx)
            await tx.effect.update_many(
                data={"result": result.model_dump(mode="json"), "finished_at": self.clock()},
                where={"run_id": self.run_id, "call_id": call.id},
            )
            return result

    async def _recorded(self, tx: Prisma, tool: AnyTool, call: PlannedCall) -> BaseModel:
        row = await tx.effect.find_first(where={"run_id": self.run_id, "call_id": call.id})
        if row is not None and row.status == "executed":
            return tool.result.model_validate(row.result)
        if row is not None and row.status == "failed":
            raise (TimedOut if row.error_code == TimedOut.code else Conflict)(
                f"This call failed before ({row.error_code}) and is not tried again."
            )
        raise Conflict("Nobody knows whether this call took effect; a person must look.")

    async def _fail(self, call: PlannedCall, error_code: str) -> None:
        async for attempt in again():
            with attempt:
                await self.db.effect.update_many(
                    data={"status": "failed", "error_code": error_code, "finished_at": self.clock()},
                    where={"run_id": self.run_id, "call_id": call.id, "status": "reserved"},
                )
