"""Runs: one request each, streamed or awaited."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from agent import access
from agent.records import RunStatus
from agent.run_store import WhenBusy
from api.limits.gate import open_stream
from api.paging import After, Limit, is_listed, page
from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Page, Run, RunSummary
from api.runs import find_run, nothing_more
from api.sse import MEDIA_TYPE, EventStream, RunFrames
from api.state import TheAgent, TheDb, TheSettings

if TYPE_CHECKING:
    from prisma.client.types import RunWhereInput

router = APIRouter(prefix="/v1", tags=["runs"], responses=documented(404, 503))

CANCEL_WAIT = 2.0  # seconds for a cancelled run to end before we answer

_STREAM = {
    "description": "The run, or its events as they happen.",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "description": "Each event; `data` is JSON, and `id` its sequence in the run.",
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
            }
        }
    },
}

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="The same key never starts a second run.")
]


class NewRun(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: Annotated[str, Field(min_length=1, description="The request, in plain words.")]
    documents: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=20)] = []
    background: Annotated[bool, Field(description="Answer 202 at once.")] = False
    multitask: Annotated[
        WhenBusy | None,
        Field(description="While another run of the thread has not ended: refuse (409), wait for it, or cancel it."),
    ] = None


@router.post(
    "/threads/{thread_id}/runs",
    response_model=Run,
    responses={200: _STREAM, 202: {"model": Run}} | documented(403, 409, 429),
)
async def create_run(
    *,
    thread_id: str,
    new: NewRun,
    request: Request,
    response: Response,
    agent: TheAgent,
    db: TheDb,
    settings: TheSettings,
    principal: ThePrincipal,
    idempotency_key: IdempotencyKey = None,
) -> Run | Response:
    """Start a run. `Accept: text/event-stream` streams it; otherwise the answer comes when it rests."""
    streams = not new.background and MEDIA_TYPE in request.headers.get("accept", "")
    lease = open_stream(request, principal) if streams else None
    try:
        run_id = await agent.submit(
            thread_id=thread_id,
            input=new.input,
            documents=new.documents,
            principal=principal,
            idempotency_key=idempotency_key,
            when_busy=new.multitask,
        )
    except BaseException:
        if lease is not None:
            lease.close()
        raise
    location = f"/v1/runs/{run_id}"
    if lease is not None:
        return EventStream(
            RunFrames(agent.reading(run_id)),
            heartbeat_seconds=settings.heartbeat_seconds,
            headers={"Location": location},
            on_end=lease.close,
        )
    if new.background:
        response.status_code = 202
    else:
        await agent.wait(run_id, principal=principal)
    response.headers["Location"] = location
    return await find_run(db, principal, run_id)


@router.get("/runs")
async def list_runs(
    db: TheDb, principal: ThePrincipal, status: RunStatus | None = None, limit: Limit = 50, after: After = None
) -> Page[RunSummary]:
    """The caller's runs, the newest first; `?status=waiting` for those that need a person: whoever may decide sees
    those of the whole company."""
    seen = access.runs(principal)
    where: RunWhereInput = {**seen, "thread": {"is": {"deleted_at": None}}}
    if status is not None:
        where["status"] = status
    if not await is_listed(db.run.count, seen, after):
        return Page(data=[])
    rows = await db.run.find_many(
        where=where,
        order=[{"created_at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        omit={"state": True, "request": True},
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(RunSummary, rows, limit)


@router.get("/runs/{run_id}")
async def get_run(run_id: str, db: TheDb, principal: ThePrincipal) -> Run:
    """A run and what became of it."""
    return await find_run(db, principal, run_id)


@router.get(
    "/runs/{run_id}/events",
    response_class=Response,
    responses={200: _STREAM, 204: {"description": "The run has ended and nothing more will come."}},
)
async def read_events(
    *,
    run_id: str,
    request: Request,
    agent: TheAgent,
    db: TheDb,
    settings: TheSettings,
    principal: ThePrincipal,
    after: Annotated[int, Query(ge=0, le=2**31, description="Sequence of the last event that was read.")] = 0,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,10}$", description="The same; it wins.")] = None,
) -> Response:
    """A run's events from any point, byte for byte as they were first sent, until it rests."""
    if last_event_id is not None:
        after = int(last_event_id)
    if await nothing_more(db, principal, run_id, after=after):
        return Response(status_code=204)
    lease = open_stream(request, principal)
    return EventStream(
        RunFrames(agent.reading(run_id, after=after)),
        heartbeat_seconds=settings.heartbeat_seconds,
        on_end=lease.close,
    )


@router.post("/runs/{run_id}/cancel", status_code=202, responses=documented(403, 409))
async def cancel_run(run_id: str, agent: TheAgent, db: TheDb, principal: ThePrincipal) -> Run:
    """From now on no tool starts in this run, and it ends `cancelled`. What is being done is finished and recorded."""
    await agent.cancel(run_id, principal=principal)
    with suppress(TimeoutError):
        await asyncio.wait_for(agent.wait(run_id), CANCEL_WAIT)
    return await find_run(db, principal, run_id)
