"""What Prometheus reads."""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from api.auth.same_machine import only_this_machine
from api.observing.metrics import CONTENT_TYPE
from api.problems import Problem, documented
from api.settings import ApiSettings, is_loopback
from api.state import TheMetrics, TheSettings, TheStartup
from prisma import Prisma
from prisma.errors import PrismaError

router = APIRouter(tags=["operation"])

PATIENCE = 2.0  # seconds that the database has to count; a scrape must not hang on it
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")  # set by a proxy: whoever asks is not on this machine


@router.get("/metrics", response_class=Response, responses=documented(401))
async def read_metrics(
    request: Request,
    settings: TheSettings,
    startup: TheStartup,
    metrics: TheMetrics,
    authorization: Annotated[str | None, Header(description="`Bearer` and DESKCLERK_METRICS_TOKEN.")] = None,
) -> Response:
    """Metrics in Prometheus' text form: with the token where one is set, else for this machine only."""
    _admit(request, settings, authorization)
    service = startup.opened
    if service is not None:
        metrics.read_load(service.agent.load, approvals=await _approvals(service.db))
    return Response(metrics.exposition(), media_type=CONTENT_TYPE)


def _admit(request: Request, settings: ApiSettings, authorization: str | None) -> None:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token is not None else ""
    if token:
        given = (authorization or "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), token.encode())
    else:
        here = request.client is not None and is_loopback(request.client.host)
        allowed = here and not any(name in request.headers for name in FORWARDED)
        only_this_machine(request)  # nor a page that this machine's browser shows
    if not allowed:
        detail = "Metrics are for this machine, or for who has the token of DESKCLERK_METRICS_TOKEN."
        raise Problem(401, "metrics_token_required", detail, headers={"WWW-Authenticate": "Bearer"})


async def _approvals(db: Prisma) -> int | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await db.approval.count(where={"status": "pending"})
    except (TimeoutError, PrismaError):
        return None  # the gauge says that nobody knows
