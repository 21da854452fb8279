"""Whom a link was made for, as they are now: what they may no longer do, their link may not do either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.principal import LOCAL, Principal
from api.settings import ApiSettings

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import ApprovalLink


async def principal_of(db: Prisma, link: ApprovalLink, settings: ApiSettings) -> Principal | None:
    """The link's person with the roles of this moment; None when they may not act any more."""
    if link.user_id is None:
        return LOCAL if settings.auth == "off" and link.tenant_id == LOCAL.tenant_id else None
    user = await db.user.find_first(
        where={"id": link.user_id, "tenant_id": link.tenant_id, "disabled_at": None}, include={"roles": True}
    )
    if user is None:
        return None
    return Principal(user.tenant_id, user.id, frozenset(role.role.value for role in user.roles or ()))
