"""Who asks: by an access token, a personal key, name and password, or a ticket."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from agent.principal import LOCAL, Principal
from api.auth import access_tokens, tickets
from api.auth.basic import BasicSignIn
from api.auth.oidc.discovery import Discovery
from api.auth.passwords import Passwords
from api.auth.refusals import credentials_invalid, not_authenticated
from api.auth.same_machine import only_this_machine, same_origin_or_none
from api.auth.secret_tokens import API_KEY, digest
from api.auth.sessions import Sessions
from api.auth.settings import AuthSettings
from api.auth.signing_keys import SigningKeys
from api.auth.standing import Fresh, by_key, by_key_id, by_session, by_user
from api.client_address import client_address
from api.problems import Problem
from api.settings import ApiSettings, is_loopback
from tools.context import utc_now

if TYPE_CHECKING:
    from api.service import Service
    from prisma import Prisma

log = logging.getLogger(__name__)

STILL_FOR = 1.0  # seconds for which it is not asked again whether there are users
LONGEST_KEY = 128  # characters


class Authenticator:
    """What a server knows of signing in. One for each server; the database is passed, for it may come later."""

    def __init__(self, settings: ApiSettings, auth: AuthSettings) -> None:
        self.settings = settings
        self.auth = auth
        self.passwords = Passwords()
        self.keys = SigningKeys(auth.secret_key)
        self.sessions = Sessions(auth, self.keys)
        self.discoveries = {name: Discovery(name, provider) for name, provider in auth.oidc_providers.items()}
        self._basic = BasicSignIn(self.passwords)
        self._principals: Fresh[Principal | None] = Fresh()
        self._users_seen_at: float | None = None

    def forget(self) -> None:
        """Read everything anew: something was revoked here."""
        self._principals.clear()

    def close(self) -> None:
        self.passwords.close()

    def address(self, connection: HTTPConnection) -> str:
        return client_address(connection, self.settings.trusted_proxies)

    async def everybody_is_local(self, db: Prisma) -> bool:
        """Whether nobody signs in: nobody could. Asked of the database each time until there is a user."""
        if self.settings.auth != "auto" or self.auth.oidc_providers:
            return self.settings.auth == "off"
        if self._users_seen_at is not None and time.monotonic() - self._users_seen_at < STILL_FOR:
            return False
        if await db.user.find_first() is None:
            return True
        self._users_seen_at = time.monotonic()
        return False

    async def say_who_signs_in(self, service: Service) -> None:
        """Tell the log when everybody here may do everything."""
        if self.settings.auth != "off" and await self.everybody_is_local(service.db):
            log.warning("nobody can sign in yet: whoever uses this machine may do everything (`deskclerk users add`)")

    async def principal(self, connection: HTTPConnection, db: Prisma) -> Principal:
        """Whoever made this request.

        Raises:
            Problem: 401 `not_authenticated`, `credentials_invalid` or `token_expired`; 429 of Basic.
        """
        if await self.everybody_is_local(db):
            return _local(connection)
        sent = connection.headers.getlist("authorization")
        if not sent:
            raise not_authenticated()
        if len(sent) > 1:
            raise credentials_invalid()
        scheme, _, value = sent[0].strip().partition(" ")
        value = value.strip()
        if scheme.lower() == "bearer":
            return await self._bearer(db, value)
        if scheme.lower() == "basic":
            same_origin_or_none(connection)  # browsers send these by themselves, also for a page of another site
            return await self._basic.principal(db, value, address=self.address(connection), now=utc_now())
        raise credentials_invalid()

    async def by_ticket(self, connection: HTTPConnection, db: Prisma, ticket: str) -> Principal:
        """Whoever asked for this ticket for a socket.

        Raises:
            Problem: 401 `credentials_invalid`.
        """
        redeemed = await tickets.redeem(db, "socket", ticket, now=utc_now())
        if redeemed.user_id is None:
            if await self.everybody_is_local(db):
                return _local(connection)
            raise credentials_invalid()
        found = await tickets.standing(db, redeemed)
        if found is None:
            raise credentials_invalid()
        return found

    async def still(self, principal: Principal, db: Prisma) -> Principal:
        """What is left of `principal` now: for connections that stay open. Cheap enough for every message.

        Raises:
            Problem: 401 `credentials_invalid`: revoked, expired, disabled, or somebody can sign in by now.
        """
        if principal.user_id is None:
            found = principal if await self.everybody_is_local(db) else None
        else:
            shown = f"{principal.user_id}\0{principal.session_id}\0{principal.key_id}"
            found = await self._principals.get(shown, lambda: _now(db, principal))
        if found is None:
            raise credentials_invalid()
        return found

    async def _bearer(self, db: Prisma, token: str) -> Principal:
        if token.startswith(API_KEY):
            hashed = digest(token[:LONGEST_KEY])
            found = await self._principals.get(hashed, lambda: by_key(db, hashed))
        else:
            claims = await access_tokens.verify(db, self.keys, token, now=utc_now())
            found = await self._principals.get(claims.session_id, lambda: by_session(db, claims.session_id))
            if found is not None and found.user_id != claims.user_id:
                found = None
        if found is None:
            raise credentials_invalid()
        return found


async def _now(db: Prisma, principal: Principal) -> Principal | None:
    if principal.session_id is not None:
        return await by_session(db, principal.session_id)
    if principal.key_id is not None:
        return await by_key_id(db, principal.key_id)
    user = await by_user(db, principal.user_id or "")
    return user[0] if user is not None else None


def _local(connection: HTTPConnection) -> Principal:
    """Everybody on this machine.

    Raises:
        Problem: 401 for another machine, 421 or 403 for what a page of another site had its reader's browser send.
    """
    only_this_machine(connection)
    if connection.client is not None and not is_loopback(connection.client.host):
        raise Problem(401, "not_authenticated", "Nobody can sign in yet, so the server answers this machine only.")
    return LOCAL
