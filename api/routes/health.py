"""Is the process up, and can it work?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.problems import Problem, documented
from api.state import TheStartup

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"
    parts: dict[str, str]


@router.get("/healthz")
async def is_alive() -> Alive:
    """The process answers. Says nothing of the database or the model."""
    return Alive()


@router.get("/readyz", responses=documented(503))
async def is_ready(startup: TheStartup) -> Ready:
    """The database, the model and the queue work; 503 with what does not, or with what is loading until then."""
    parts = await startup.service.readiness.troubles()
    wrong = [f"{part}: {said}" for part, said in parts.items() if said != "ok"]
    if wrong:
        detail = f"Not ready. {'; '.join(wrong)}."
        raise Problem(503, "not_ready", detail, headers={"Retry-After": "1"}, parts=parts)
    return Ready(parts=parts)
