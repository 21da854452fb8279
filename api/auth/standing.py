"""What a sign-in, a key or a user is worth now. Read at most once a second each; what is revoked dies within that."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from agent.principal import Principal, Role, Scope, narrow
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import ApiKeyWithRelations, UserWithRelations
    from prisma.client.types import ApiKeyInclude

FRESH_FOR = 1.0  # seconds
MOST_KNOWN = 10_000
_WITH_USER: ApiKeyInclude = {"user": {"include": {"roles": True}}}
USED_EVERY = 60.0  # seconds between two writes of when a key was last used

T = TypeVar("T")


class Fresh(Generic[T]):
    """Remembers what was read, for `FRESH_FOR` seconds."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()

    async def get(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """What is known of `key`, else what `read` finds. The age counts from before it was read."""
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now - known[0] < FRESH_FOR:
            return known[1]
        found = await read()
        self._known[key] = (now, found)
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    def clear(self) -> None:
        self._known.clear()


async def by_session(db: Prisma, session_id: str) -> Principal | None:
    """Who a sign-in is for; None when it has ended, was revoked, or its user is disabled."""
    row = await db.authsession.find_unique(where={"id": session_id}, include={"user": {"include": {"roles": True}}})
    if row is None or row.revoked_at is not None or row.expires_at <= utc_now():
        return None
    return principal_of(row.user, session_id=row.id, scopes=scopes_of(row.scopes))


async def by_key(db: Prisma, key_hash: str) -> Principal | None:
    """Who a personal key is for; None when it has expired, was revoked, or its user is disabled."""
    row = await db.apikey.find_unique(where={"hash": key_hash}, include=_WITH_USER)
    if row is None:
        return None
    found, now = _of_key(row), utc_now()
    if found is not None and (row.last_used_at is None or (now - row.last_used_at).total_seconds() > USED_EVERY):
        await db.apikey.update_many(where={"id": row.id}, data={"last_used_at": now})
    return found


async def by_key_id(db: Prisma, key_id: str) -> Principal | None:
    """The same, by its id: for what was done with the key before."""
    row = await db.apikey.find_unique(where={"id": key_id}, include=_WITH_USER)
    return None if row is None else _of_key(row)


def _of_key(row: ApiKeyWithRelations) -> Principal | None:
    if row.revoked_at is not None or row.expires_at <= utc_now():
        return None
    return principal_of(row.user, key_id=row.id, scopes=scopes_of(row.scopes))


async def by_user(db: Prisma, user_id: str) -> tuple[Principal, str | None] | None:
    """A user who is not disabled, and the hash of the password."""
    row = await db.user.find_unique(where={"id": user_id}, include={"roles": True})
    found = principal_of(row) if row is not None else None
    return None if row is None or found is None else (found, row.password_hash)


def scopes_of(kept: Any) -> frozenset[Scope] | None:
    """As they are kept: a list, or nothing for no limit."""
    return None if kept is None else frozenset(cast("list[Scope]", kept))


def principal_of(
    user: UserWithRelations,
    *,
    session_id: str | None = None,
    key_id: str | None = None,
    scopes: frozenset[Scope] | None = None,
) -> Principal | None:
    """A user with their roles read; None when they are disabled."""
    if user.disabled_at is not None:
        return None
    roles: frozenset[Role] = frozenset(grant.role.value for grant in user.roles)
    return Principal(
        tenant_id=user.tenant_id,
        user_id=user.id,
        roles=narrow(roles, scopes),
        key_id=key_id,
        session_id=session_id,
        scopes=scopes,
    )
