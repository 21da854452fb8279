"""`deskclerk keys ...`: what signs access tokens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import orjson


def list_keys() -> None:
    """Print the keys, without what they are, one JSON object a line."""
    from api.service import open_database
    from api.settings import ApiSettings

    async def work() -> None:
        async with open_database(ApiSettings().database_url) as db:
            for row in await db.signingkey.find_many(order={"created_at": "desc"}):
                times = {"created_at": row.created_at, "retired_at": row.retired_at}
                print(orjson.dumps({"kid": row.kid, **times, "verifies_until": row.verifies_until}).decode())

    asyncio.run(work())


def rotate(*, now: bool) -> None:
    """Make a key. The others verify until their tokens have run out; with `now`, not a moment longer."""
    from api.auth.access_tokens import LEEWAY
    from api.auth.settings import AuthSettings
    from api.auth.signing_keys import rotate
    from api.service import open_database
    from api.settings import ApiSettings
    from tools.context import utc_now

    settings = AuthSettings()
    verify_for = timedelta() if now else settings.access_life + LEEWAY

    async def work() -> str:
        async with open_database(ApiSettings().database_url) as db:
            made = await rotate(db, settings.secret_key, verify_for=verify_for, now=utc_now())
            return made.kid

    print(f"signing with {asyncio.run(work())}")
