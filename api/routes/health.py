"""Is the process up, and can it work?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.problems import documented
from api.state import TheStartup

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


@router.get("/healthz")
async def is_alive() -> Alive:
    """The process answers. Says nothing of the database or the model."""
    return Alive()


@router.get("/readyz", responses=documented(503))
async def is_ready(startup: TheStartup) -> Ready:
    """The database is migrated and the model loaded; 503 with what is loading until then."""
    _ = startup.service
    return Ready()
