"""What nobody knows of the outside world, and the person who looks and says.

An effect outside whose outcome is unknown rests as `needs_reconcile`: never tried again, never forgotten. A person who
has looked settles it once; who, what and why goes into the audit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from agent import access
from agent.errors import EffectNotFound, EffectSettled, Forbidden
from agent.event_store import TX_WAIT, again
from agent.principal import NOBODY, Principal

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Effect

Outcome = Literal["executed", "not_executed"]


@dataclass(frozen=True, slots=True)
class Effects:
    """The ledger, as a person works on it."""

    db: Prisma
    clock: Callable[[], datetime]

    async def settle(self, effect_id: str, *, outcome: Outcome, note: str, principal: Principal) -> Effect:
        """Say what became of an effect. Returns its row.

        Raises:
            EffectNotFound, Forbidden: There is none that the caller can see, or the caller may not.
            EffectSettled: Its outcome is known already.
        """
        async for attempt in again():
            with attempt:
                async with self.db.tx(max_wait=TX_WAIT) as tx:
                    return await self._settle(tx, effect_id, outcome, note, principal)
        raise AssertionError("the last attempt returns or raises")

    async def _settle(self, tx: Prisma, effect_id: str, outcome: Outcome, note: str, principal: Principal) -> Effect:
        seen = await tx.effect.find_first(where={**access.effects(principal), "id": effect_id})
        if seen is None:
            raise EffectNotFound(effect_id)
        if not access.decides(principal):
            raise Forbidden("This role may not say what became of an effect.")
        actor, executed = principal.user_id or NOBODY, outcome == "executed"
        settled = await tx.effect.update_many(
            data={
                "status": "executed" if executed else "failed",
                "error_code": None if executed else "not_executed",
                "settled_by": actor,
                "finished_at": self.clock(),
            },
            where={"id": effect_id, "status": "needs_reconcile"},
        )
        row = await tx.effect.find_unique_or_raise(where={"id": effect_id})
        if not settled:
            raise EffectSettled(f"What became of effect {effect_id!r} is known already: {row.status.value}.")
        await tx.auditentry.create(
            data={
                "tenant_id": principal.tenant_id,
                "at": self.clock(),
                "actor": actor,
                "action": "effect.settle",
                "subject": effect_id,
                "verdict": outcome,
                "details": {"run_id": row.run_id, "call_id": row.call_id, "tool": row.tool, "note": note},
            }
        )
        return row
