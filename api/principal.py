"""Who asks. The one place that decides it; everything else takes a `ThePrincipal`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from agent.principal import LOCAL, Principal


async def get_principal() -> Principal:
    """With DESKCLERK_AUTH=off: whoever reaches the loopback interface."""
    return LOCAL


ThePrincipal = Annotated[Principal, Depends(get_principal)]
