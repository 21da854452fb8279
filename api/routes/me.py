"""Who the server takes the caller for."""

from __future__ import annotations

from fastapi import APIRouter

from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Me
from api.state import TheStartup

router = APIRouter(prefix="/v1", tags=["me"], responses=documented(503))


@router.get("/me")
async def get_me(principal: ThePrincipal, startup: TheStartup) -> Me:
    """The caller's company, user and roles."""
    user_id, scopes = principal.user_id, principal.scopes
    user = await startup.service.db.user.find_unique(where={"id": user_id}) if user_id is not None else None
    return Me(
        tenant_id=principal.tenant_id,
        user_id=user_id,
        name=user.name if user is not None else None,
        roles=sorted(principal.roles),
        scopes=sorted(scopes) if scopes is not None else None,
        key_id=principal.key_id,
    )
