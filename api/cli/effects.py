"""`deskclerk effects ...`, on a server or on the database of DATABASE_URL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast, get_args

import orjson

from api.cli.exits import UNAVAILABLE, USAGE, Stop

if TYPE_CHECKING:
    from agent.effects import Outcome
    from prisma.client.types import EffectWhereInput

SHOWN = 200  # the newest
ALL = "all"


def list_effects(status: str, *, url: str | None) -> None:
    """Print effects of one status, or of all, the newest first, one JSON object a line."""
    from api.resources import EffectStatus

    if status != ALL and status not in get_args(EffectStatus):
        raise Stop(f"--status is one of {', '.join(get_args(EffectStatus))} or {ALL}, not {status!r}.", USAGE)
    chosen = None if status == ALL else status
    for effect in asyncio.run(_remote(url, chosen) if url is not None else _local(chosen)):
        print(orjson.dumps(effect).decode())


def settle_effect(effect_id: str, outcome: str, *, note: str, url: str | None) -> None:
    """Settle an effect and print it."""
    from agent.effects import Outcome

    if outcome not in get_args(Outcome):
        raise Stop(f"The outcome is {' or '.join(get_args(Outcome))}, not {outcome!r}.", USAGE)
    chosen = cast("Outcome", outcome)
    settled = _settle_remotely(url, effect_id, chosen, note) if url is not None else _settle(effect_id, chosen, note)
    print(orjson.dumps(asyncio.run(settled)).decode())


async def _remote(url: str, status: str | None) -> list[dict[str, Any]]:
    from api.cli.remote import connect, request_json

    chosen = {} if status is None else {"status": status}
    async with connect(url) as client:
        found = await request_json(client, "GET", "/v1/effects", params={"limit": SHOWN, **chosen})
        return found["data"]


async def _local(status: str | None) -> list[dict[str, Any]]:
    from agent.principal import LOCAL
    from api.resources import LedgerEffect
    from api.service import open_database
    from api.settings import ApiSettings

    where: EffectWhereInput = {"run": {"is": {"tenant_id": LOCAL.tenant_id}}}
    if status is not None:
        where["status"] = cast("Any", status)
    async with open_database(ApiSettings().database_url) as db:
        rows = await db.effect.find_many(where=where, order=[{"reserved_at": "desc"}, {"id": "desc"}], take=SHOWN)
        return [LedgerEffect.model_validate(row).model_dump(mode="json") for row in rows]


async def _settle_remotely(url: str, effect_id: str, outcome: Outcome, note: str) -> dict[str, Any]:
    from api.cli.remote import connect, request_json

    async with connect(url) as client:
        body = {"outcome": outcome, "note": note}
        return await request_json(client, "POST", f"/v1/effects/{effect_id}/settle", json=body)


async def _settle(effect_id: str, outcome: Outcome, note: str) -> dict[str, Any]:
    from agent.effects import Effects
    from agent.errors import AgentError
    from agent.principal import LOCAL
    from api.resources import LedgerEffect
    from api.service import open_database
    from api.settings import ApiSettings
    from tools.context import utc_now

    async with open_database(ApiSettings().database_url) as db:
        try:
            row = await Effects(db, utc_now).settle(effect_id, outcome=outcome, note=note, principal=LOCAL)
        except AgentError as error:
            raise Stop(f"{error.message} ({error.code})", UNAVAILABLE) from None
        return LedgerEffect.model_validate(row).model_dump(mode="json")
