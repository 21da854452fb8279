"""Who the server takes the caller for."""

from __future__ import annotations

from fastapi import APIRouter

from api.principal import ThePrincipal
from api.resources import Me

router = APIRouter(prefix="/v1", tags=["me"])


@router.get("/me")
async def get_me(principal: ThePrincipal) -> Me:
    """The caller's company, user and roles."""
    return Me(tenant_id=principal.tenant_id, user_id=principal.user_id, roles=sorted(principal.roles))
