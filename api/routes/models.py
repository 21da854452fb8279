"""Which model answers."""

from __future__ import annotations

from fastapi import APIRouter

from api.openai.errors import documented
from api.principal import ThePrincipal
from api.problems import Problem
from api.resources import Model, ModelList
from api.state import TheService

router = APIRouter(prefix="/v1", tags=["models"], responses=documented(503))


@router.get("/models")
async def list_models(service: TheService, _: ThePrincipal) -> ModelList:
    """The configured model, in OpenAI's form."""
    return ModelList(data=[Model(id=service.model)])


@router.get("/models/{model_id:path}", responses=documented(404))
async def get_model(model_id: str, service: TheService, _: ThePrincipal) -> Model:
    """The configured model, by its name."""
    if model_id != service.model:
        raise Problem(404, "model_not_found", f"The model {model_id!r} does not exist.")
    return Model(id=service.model)
