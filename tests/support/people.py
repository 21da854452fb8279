"""Users in a database, and the principals that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.principal import DEFAULT_TENANT, Principal, Role

if TYPE_CHECKING:
    from prisma import Prisma


async def person(db: Prisma, name: str, *roles: Role, tenant: str = DEFAULT_TENANT) -> Principal:
    """A user with these roles, of a company that is made if it is not there."""
    await db.tenant.upsert(
        where={"id": tenant}, data={"create": {"id": tenant, "name": f"Company {tenant}"}, "update": {}}
    )
    user = await db.user.create(data={"tenant_id": tenant, "name": name})
    for role in roles:
        await db.userrole.create(data={"user_id": user.id, "role": role})
    return Principal(tenant, user.id, frozenset(roles))
