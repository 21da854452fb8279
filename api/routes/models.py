"""Which model answers."""

from __future__ import annotations

from fastapi import APIRouter

from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Model, ModelList
from api.state import TheService

router = APIRouter(prefix="/v1", tags=["models"], responses=documented(503))


@router.get("/models")
async def list_models(service: TheService, _: ThePrincipal) -> ModelList:
    """The configured model, in OpenAI's form."""
    return ModelList(data=[Model(id=service.model)])
