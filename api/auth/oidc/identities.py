"""Which user an identity is: by issuer and subject, never by an e-mail address that somebody may choose."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from api.auth.audit import record
from api.auth.oidc.id_token import Identity
from api.auth.settings import Provider
from api.problems import Problem
from prisma.errors import UniqueViolationError

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import User


async def user_of(db: Prisma, name: str, provider: Provider, identity: Identity, *, now: datetime) -> str:
    """The id of the user who is linked; of a new one, where the provider's setting allows it.

    Raises:
        Problem: 403 `not_invited`: nobody is linked; the answer says how an admin links them. 403 `user_disabled`.
    """
    row = await db.oauthidentity.find_unique(
        where={"issuer_subject": {"issuer": identity.issuer, "subject": identity.subject}}, include={"user": True}
    )
    if row is None and provider.create_users:
        return (await _create(db, name, provider, identity)).id
    if row is None:
        raise Problem(
            403,
            "not_invited",
            f"Nobody is linked to you here. An admin can do it: deskclerk users link NAME {name} {identity.subject!r}",
        )
    if row.user.disabled_at is not None:
        raise Problem(403, "user_disabled", "You may not sign in here any more.")
    await db.oauthidentity.update_many(
        where={"issuer": identity.issuer, "subject": identity.subject}, data={"last_used_at": now}
    )
    return row.user_id


async def _create(db: Prisma, provider_name: str, provider: Provider, identity: Identity) -> User:
    """A user who has no password, with a name of our making: a chosen one could be mistaken for somebody."""
    wanted = re.sub(r"[^a-z0-9]", "", (identity.email or "").partition("@")[0].casefold())[:20] or "user"
    user_name = f"{wanted}-{provider_name}-{secrets.token_hex(4)}"
    try:
        user = await db.user.create(
            data={
                "tenant_id": provider.tenant_id,
                "name": user_name,
                "roles": {"create": [{"role": role} for role in dict.fromkeys(provider.roles)]},
                "identities": {"create": [{"issuer": identity.issuer, "subject": identity.subject}]},
            }
        )
    except UniqueViolationError:  # they came twice at the same moment
        row = await db.oauthidentity.find_unique_or_raise(
            where={"issuer_subject": {"issuer": identity.issuer, "subject": identity.subject}},
            include={"user": True},
        )
        return row.user
    await record(db, user.tenant_id, actor=user.id, action="user.add", subject=user.id, issuer=identity.issuer)
    return user
