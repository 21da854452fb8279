"""OpenAI's chat completions: any client of OpenAI's can talk to the clerk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from api.limits.gate import open_stream
from api.openai.answers import streamed, whole
from api.openai.errors import documented
from api.openai.exchange import Desk
from api.openai.messages import read
from api.openai.narrator import StopAt
from api.openai.request import ChatRequest, options_of
from api.openai.wire import Wire
from api.principal import ThePrincipal
from api.problems import InvalidField, Problem
from api.public_url import public_url
from api.routes.runs import IdempotencyKey
from api.sse import MEDIA_TYPE
from api.state import TheService, TheSettings

router = APIRouter(prefix="/v1/chat", tags=["openai"])

ALIAS = "deskclerk"  # a name for the configured model that outlives its change

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, as one object or as chunks.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            MEDIA_TYPE: {"schema": {"type": "string"}},
        },
    },
    **documented(404, 409, 415, 502, 503),
}


@router.post("/completions", response_class=Response, responses=_ANSWERS)
async def create_completion(
    *,
    body: ChatRequest,
    request: Request,
    service: TheService,
    settings: TheSettings,
    principal: ThePrincipal,
    idempotency_key: IdempotencyKey = None,
    x_stainless_retry_count: Annotated[str | None, Header(max_length=10, include_in_schema=False)] = None,
) -> Response:
    """Answer the last message of a conversation; tools are called inside. What is supported: docs/openai.md."""
    if body.model not in (service.model, ALIAS):
        detail = f"The model {body.model!r} does not exist; there is {service.model!r}, also called {ALIAS!r}."
        raise Problem(404, "model_not_found", detail, errors=[InvalidField(path="body.model", message=detail)])
    options, conversation = options_of(body), read(body.messages)
    desk = Desk(service.agent, service.db, principal, public_url(settings, request), settings.max_document_bytes)
    lease = open_stream(request, principal) if body.stream else None
    try:
        exchange = await desk.take(
            conversation, options, key=idempotency_key, retried=(x_stainless_retry_count or "0") != "0"
        )
    except BaseException:
        if lease is not None:
            lease.close()
        raise
    exchange.stop = StopAt(body.stops)
    wire = Wire(service.model, with_usage=body.wants_usage)
    if lease is not None:
        return streamed(desk, exchange, wire, heartbeat_seconds=settings.heartbeat_seconds, on_end=lease.close)
    return await whole(desk, exchange, wire, request)
