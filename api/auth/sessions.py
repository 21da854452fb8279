"""Sign-ins: an access token for minutes, and a refresh token that is replaced each time it is used.

A refresh token that comes again has been copied, by its owner or from them; nobody can tell which, so the whole family
ends. One exception, for an answer that was lost on its way: within `GRACE`, and while no successor has been used, the
same token gives another successor. Of two that ask at the same moment both are served.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.principal import Scope
from api.auth import access_tokens
from api.auth.secret_tokens import REFRESH, digest, new_secret
from api.auth.settings import AuthSettings
from api.auth.signing_keys import SigningKeys
from api.problems import Problem
from prisma.fields import DbNull

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import AuthSessionWithRelations, RefreshTokenWithRelations

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=10)
KEPT_AFTER_END = timedelta(days=7)  # rows of ended sign-ins


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets."""

    access_token: str
    expires_in: int  # seconds
    refresh_token: str
    session_id: str


def invalid_grant() -> Problem:
    """One text for whatever is wrong, so that nothing is learnt from it."""
    return Problem(400, "invalid_grant", "The name, the password or the token is not valid.", oauth=True)


class Sessions:
    """Begins, continues and ends sign-ins."""

    def __init__(self, settings: AuthSettings, keys: SigningKeys) -> None:
        self._settings = settings
        self._keys = keys

    async def begin(
        self, db: Prisma, user_id: str, *, client: str, scopes: Sequence[Scope] | None, now: datetime
    ) -> Tokens:
        """Sign a user in."""
        refresh = new_secret(REFRESH)
        session = await db.authsession.create(
            data={
                "user_id": user_id,
                "client": client,
                "scopes": DbNull if scopes is None else list(scopes),
                "created_at": now,
                "last_used_at": now,
                "expires_at": now + self._settings.session_life,
                "tokens": {"create": [{"hash": digest(refresh), "created_at": now}]},
            }
        )
        await db.authsession.delete_many(where={"expires_at": {"lt": now - KEPT_AFTER_END}})
        return await self._tokens(db, user_id, session.id, refresh, now=now)

    async def refresh(self, db: Prisma, token: str, *, client: str, now: datetime) -> Tokens:
        """Replace a refresh token.

        Raises:
            Problem: 400 `invalid_grant`: it is none of ours, its time is over, or it was used before; then its
                whole family is revoked.
        """
        hashed = digest(token)
        row = await db.refreshtoken.find_unique(
            where={"hash": hashed}, include={"session": {"include": {"user": True}}}
        )
        if row is None or not _lives(row.session, client, now):
            raise invalid_grant()
        first = await db.refreshtoken.update_many(where={"hash": hashed, "used_at": None}, data={"used_at": now})
        if not first and not await self._was_lost(db, row, now):
            await self.revoke(db, row.session_id, reason="refresh_reused", now=now)
            log.warning("a refresh token came twice; sign-in %s has ended", row.session_id)
            raise invalid_grant()
        successor = new_secret(REFRESH)
        await db.refreshtoken.create(
            data={"hash": digest(successor), "session_id": row.session_id, "parent_hash": hashed, "created_at": now}
        )
        await db.authsession.update_many(where={"id": row.session_id}, data={"last_used_at": now})
        return await self._tokens(db, row.session.user_id, row.session_id, successor, now=now)

    async def of_refresh_token(self, db: Prisma, token: str) -> str | None:
        """The sign-in that a refresh token belongs to, used or not."""
        row = await db.refreshtoken.find_unique(where={"hash": digest(token)})
        return None if row is None else row.session_id

    async def revoke(self, db: Prisma, session_id: str, *, reason: str, now: datetime) -> bool:
        """End one sign-in. Returns whether it had not ended before."""
        ended = await db.authsession.update_many(
            where={"id": session_id, "revoked_at": None}, data={"revoked_at": now, "revoked_reason": reason}
        )
        return ended > 0

    async def _was_lost(self, db: Prisma, row: RefreshTokenWithRelations, now: datetime) -> bool:
        """Whether the answer to the first use may have been lost: it is fresh, and nobody went on from it."""
        again = await db.refreshtoken.find_unique_or_raise(where={"hash": row.hash})
        if again.used_at is None or now - again.used_at > GRACE:
            return False
        return not await db.refreshtoken.count(where={"parent_hash": row.hash, "used_at": {"not": None}})

    async def _tokens(self, db: Prisma, user_id: str, session_id: str, refresh: str, *, now: datetime) -> Tokens:
        life = self._settings.access_life
        access = await access_tokens.sign(db, self._keys, user_id=user_id, session_id=session_id, life=life, now=now)
        return Tokens(access, round(life.total_seconds()), refresh, session_id)


async def revoke_all(db: Prisma, user_id: str, *, reason: str, now: datetime) -> int:
    """End every sign-in of a user. Returns how many."""
    return await db.authsession.update_many(
        where={"user_id": user_id, "revoked_at": None}, data={"revoked_at": now, "revoked_reason": reason}
    )


def _lives(session: AuthSessionWithRelations, client: str, now: datetime) -> bool:
    return (
        session.revoked_at is None
        and session.expires_at > now
        and session.client == client
        and session.user.disabled_at is None
    )
