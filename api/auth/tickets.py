"""Tickets: good once and for seconds, in place of a token where a token must not stand.

A browser cannot send a header when it opens a WebSocket, and an address ends up in logs. So whoever has signed in asks
for a ticket and sends that. What the ticket is worth is looked up when it is shown: revoked meanwhile is revoked.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from agent.principal import Principal
from api.auth.refusals import credentials_invalid
from api.auth.secret_tokens import TICKET, digest, new_secret
from api.auth.standing import by_key_id, by_session, by_user

if TYPE_CHECKING:
    from prisma import Prisma

Purpose = Literal["socket", "sign_in"]
LIFE: dict[Purpose, timedelta] = {"socket": timedelta(seconds=30), "sign_in": timedelta(seconds=60)}
COOKIE = "deskclerk_sign_in"  # without which a sign-in that a provider vouched for cannot be taken over
LONGEST = 128  # characters


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a ticket stood for. All are None where nobody signs in."""

    user_id: str | None
    session_id: str | None
    key_id: str | None


async def issue(
    db: Prisma,
    purpose: Purpose,
    *,
    user_id: str | None,
    session_id: str | None = None,
    key_id: str | None = None,
    browser: str | None = None,
    now: datetime,
) -> str:
    """A new ticket.

    Args:
        browser: A cookie without which the ticket is worth nothing.
    """
    ticket = new_secret(TICKET)
    await db.authticket.delete_many(where={"expires_at": {"lt": now}})
    await db.authticket.create(
        data={
            "hash": digest(ticket),
            "purpose": purpose,
            "user_id": user_id,
            "session_id": session_id,
            "key_id": key_id,
            "browser_hash": digest(browser) if browser is not None else None,
            "expires_at": now + LIFE[purpose],
        }
    )
    return ticket


async def redeem(db: Prisma, purpose: Purpose, ticket: str, *, browser: str | None = None, now: datetime) -> Redeemed:
    """Take a ticket. Of several who show it at once, one gets it.

    Raises:
        Problem: 401 `credentials_invalid`: it is none, for something else, of another browser, too old, or was taken.
    """
    if not ticket.startswith(TICKET) or len(ticket) > LONGEST:
        raise credentials_invalid()
    hashed = digest(ticket)
    row = await db.authticket.find_unique(where={"hash": hashed})
    taken = await db.authticket.delete_many(where={"hash": hashed})
    if row is None or not taken or row.purpose != purpose or row.expires_at <= now:
        raise credentials_invalid()
    if row.browser_hash is not None and not hmac.compare_digest(row.browser_hash, digest(browser or "")):
        raise credentials_invalid()
    return Redeemed(row.user_id, row.session_id, row.key_id)


async def standing(db: Prisma, redeemed: Redeemed) -> Principal | None:
    """What its user, sign-in or key is worth now."""
    if redeemed.session_id is not None:
        return await by_session(db, redeemed.session_id)
    if redeemed.key_id is not None:
        return await by_key_id(db, redeemed.key_id)
    user = await by_user(db, redeemed.user_id) if redeemed.user_id is not None else None
    return user[0] if user is not None else None
