"""The users: added, changed and disabled from the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.principal import NOBODY, Role
from api.auth.audit import record
from api.auth.sessions import revoke_all
from prisma.errors import ForeignKeyViolationError, UniqueViolationError
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import User, UserWithRelations

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,62}")


class UserProblem(Exception):
    """What was asked cannot be done to this user. The message says why."""


def user_name(text: str) -> str:
    """A name as it is kept: in lower case.

    Raises:
        UserProblem: It is no name.
    """
    name = text.casefold()
    if not _NAME.fullmatch(name):
        raise UserProblem(f"{text!r} is no user name: use letters, digits and . _ @ + -, at most 63.")
    return name


async def add_user(
    db: Prisma, name: str, *, roles: Sequence[Role], password_hash: str | None, email: str | None, tenant_id: str
) -> User:
    """A new user.

    Raises:
        UserProblem: The name or e-mail is taken, or the company unknown.
    """
    try:
        user = await db.user.create(
            data={
                "tenant_id": tenant_id,
                "name": user_name(name),
                "email": email,
                "password_hash": password_hash,
                "roles": {"create": [{"role": role} for role in dict.fromkeys(roles)]},
            }
        )
    except UniqueViolationError:
        raise UserProblem(f"There is a user {name!r}, or one with this e-mail, already.") from None
    except ForeignKeyViolationError:
        raise UserProblem(f"There is no company {tenant_id!r}.") from None
    await record(db, tenant_id, actor=NOBODY, action="user.add", subject=user.id, roles=list(roles))
    return user


async def list_users(db: Prisma) -> list[UserWithRelations]:
    """All of them, by name."""
    return await db.user.find_many(order={"name": "asc"}, include={"roles": True, "identities": True})


async def disable_user(db: Prisma, name: str) -> None:
    """Let them in no more: not by password, token, key or provider. What is open ends within a second."""
    user, now = await _find(db, name), utc_now()
    await db.user.update(where={"id": user.id}, data={"disabled_at": now})
    await revoke_all(db, user.id, reason="disabled", now=now)
    await record(db, user.tenant_id, actor=NOBODY, action="user.disable", subject=user.id)


async def enable_user(db: Prisma, name: str) -> None:
    """Let them in again. Keys that have not expired are good again, sign-ins are not."""
    user = await _find(db, name)
    await db.user.update(where={"id": user.id}, data={"disabled_at": None})
    await record(db, user.tenant_id, actor=NOBODY, action="user.enable", subject=user.id)


async def set_password(db: Prisma, name: str, password_hash: str) -> None:
    """Another password; every sign-in ends."""
    user = await _find(db, name)
    await db.user.update(where={"id": user.id}, data={"password_hash": password_hash})
    await revoke_all(db, user.id, reason="password_changed", now=utc_now())
    await record(db, user.tenant_id, actor=NOBODY, action="user.password", subject=user.id)


async def set_roles(db: Prisma, name: str, roles: Sequence[Role]) -> None:
    """These roles and no others, from the next request on."""
    user = await _find(db, name)
    async with db.tx() as tx:
        await tx.userrole.delete_many(where={"user_id": user.id})
        for role in dict.fromkeys(roles):
            await tx.userrole.create(data={"user_id": user.id, "role": role})
    await record(db, user.tenant_id, actor=NOBODY, action="user.roles", subject=user.id, roles=list(roles))


async def link_identity(db: Prisma, name: str, *, issuer: str, subject: str) -> None:
    """Let whom a provider knows by `subject` sign in as this user.

    Raises:
        UserProblem: That identity is somebody's already.
    """
    user = await _find(db, name)
    try:
        await db.oauthidentity.create(data={"issuer": issuer, "subject": subject, "user_id": user.id})
    except UniqueViolationError:
        raise UserProblem("That identity is linked to a user already.") from None
    await record(db, user.tenant_id, actor=NOBODY, action="user.link", subject=user.id, issuer=issuer)


async def _find(db: Prisma, name: str) -> User:
    user = await db.user.find_unique(where={"name": user_name(name)})
    if user is None:
        raise UserProblem(f"There is no user {name!r}; see `deskclerk users list`.")
    return user
