"""The ledger of effects, and what a person says of those whose outcome nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent import access
from api.paging import After, Limit, is_listed, page
from api.principal import ThePrincipal
from api.problems import documented
from api.resources import EffectStatus, LedgerEffect, Page
from api.state import TheAgent, TheDb

if TYPE_CHECKING:
    from prisma.client.types import EffectWhereInput

router = APIRouter(prefix="/v1/effects", tags=["effects"], responses=documented(503))


class Settlement(BaseModel):
    """What a person found who looked in the system outside."""

    model_config = ConfigDict(extra="forbid")

    outcome: Annotated[Literal["executed", "not_executed"], Field(description="Whether the effect took place.")]
    note: Annotated[str, Field(max_length=2000, description="How you know; kept in the audit.")] = ""


@router.get("")
async def list_effects(
    db: TheDb, principal: ThePrincipal, status: EffectStatus | None = None, limit: Limit = 50, after: After = None
) -> Page[LedgerEffect]:
    """Effects of the caller's runs, the newest first; `?status=needs_reconcile` for those that need a person, which
    whoever may settle them sees of the whole company."""
    seen = access.effects(principal)
    where: EffectWhereInput = {"AND": seen}
    if status is not None:
        where["status"] = status
    if not await is_listed(db.effect.count, seen, after):
        return Page(data=[])
    rows = await db.effect.find_many(
        where=where,
        order=[{"reserved_at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(LedgerEffect, rows, limit)


@router.post("/{effect_id}/settle", responses=documented(403, 404, 409))
async def settle_effect(
    effect_id: str, settlement: Settlement, agent: TheAgent, principal: ThePrincipal
) -> LedgerEffect:
    """Say, once, what became of an effect whose outcome is unknown. Nothing is done again by it."""
    row = await agent.effects.settle(effect_id, outcome=settlement.outcome, note=settlement.note, principal=principal)
    return LedgerEffect.model_validate(row)
