"""Whom a link was made for, as they are now: what they may no longer do, their link may not do either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from agent.access import roles_now
from agent.principal import LOCAL, Principal
from api.auth.same_machine import only_this_machine
from api.principal import get_authenticator

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import ApprovalLink


async def principal_of(db: Prisma, link: ApprovalLink, connection: HTTPConnection) -> Principal | None:
    """The link's person with the roles of this moment; None when they may not act any more.

    Raises:
        Problem: The link is nobody's, and the request not from this machine.
    """
    if link.user_id is None:
        only_this_machine(connection)
        authenticator = await get_authenticator(connection)
        return LOCAL if authenticator.settings.auth == "off" or await authenticator.everybody_is_local(db) else None
    principal = Principal(link.tenant_id, link.user_id, frozenset())
    roles = await roles_now(db, principal)
    return Principal(link.tenant_id, link.user_id, roles) if roles else None
