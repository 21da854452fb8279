"""Conversations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from agent import access
from api.paging import After, Limit, is_listed, page
from api.principal import ThePrincipal
from api.problems import Problem, documented
from api.resources import Page, Thread, ThreadDetails, ThreadMessage, ThreadRun
from api.state import TheAgent, TheDb

router = APIRouter(prefix="/v1/threads", tags=["threads"], responses=documented(503))

MESSAGES_SHOWN = 500  # the newest of a thread
RUNS_SHOWN = 100  # the newest of a thread


class NewThread(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(max_length=200)] = ""


@router.post("", status_code=201)
async def create_thread(db: TheDb, principal: ThePrincipal, response: Response, new: NewThread | None = None) -> Thread:
    """Begin a conversation."""
    row = await db.thread.create(
        data={
            "tenant_id": principal.tenant_id,
            "user_id": principal.user_id,
            "title": new.title if new is not None else "",
        }
    )
    response.headers["Location"] = f"/v1/threads/{row.id}"
    return Thread.model_validate(row)


@router.get("")
async def list_threads(db: TheDb, principal: ThePrincipal, limit: Limit = 50, after: After = None) -> Page[Thread]:
    """The caller's conversations, the company's for an admin, the last used first."""
    if not await is_listed(db.thread.count, access.threads(principal), after):
        return Page(data=[])
    rows = await db.thread.find_many(
        where=access.threads(principal),
        order=[{"updated_at": "desc"}, {"id": "desc"}],
        take=limit + 1,
        cursor={"id": after} if after is not None else None,
        skip=1 if after is not None else None,
    )
    return page(Thread, rows, limit)


@router.get("/{thread_id}", responses=documented(404))
async def get_thread(thread_id: str, db: TheDb, principal: ThePrincipal) -> ThreadDetails:
    """A conversation with what was said."""
    row = await db.thread.find_first(where={**access.threads(principal), "id": thread_id})
    if row is None:
        raise thread_not_found(thread_id)
    messages = await db.message.find_many(
        where={"thread_id": thread_id, "role": {"in": ["user", "assistant"]}, "content": {"not": ""}},
        order={"position": "desc"},
        take=MESSAGES_SHOWN,
    )
    runs = await db.run.find_many(where={"thread_id": thread_id}, order={"created_at": "desc"}, take=RUNS_SHOWN)
    return ThreadDetails(
        **Thread.model_validate(row).model_dump(),
        messages=[ThreadMessage.model_validate(message) for message in reversed(messages)],
        runs=[ThreadRun.model_validate(run) for run in reversed(runs)],
    )


@router.delete("/{thread_id}", status_code=204, responses=documented(404))
async def delete_thread(thread_id: str, agent: TheAgent, principal: ThePrincipal) -> None:
    """Cancel a conversation's runs and delete it. What it changed in the world stays on record."""
    await agent.delete_thread(thread_id, principal=principal)


def thread_not_found(thread_id: str) -> Problem:
    return Problem(404, "thread_not_found", f"No thread {thread_id!r}.")
