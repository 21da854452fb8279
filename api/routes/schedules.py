"""Requests that are made at set times."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.schedules import LONGEST_INPUT, Schedule
from api.principal import ThePrincipal
from api.problems import documented
from api.resources import Page
from api.state import TheAgent

router = APIRouter(prefix="/v1/schedules", tags=["schedules"], responses=documented(403, 409, 503))


class NewSchedule(BaseModel):
    """A request, and when to make it. It is made as whoever adds it, with the roles of that moment."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=63, description="Lower-case letters, digits, `-` and `_`.")]
    cron: Annotated[str, Field(max_length=200, description="Five fields, like `0 8 * * 1-5`; six begin with seconds.")]
    timezone: Annotated[str, Field(max_length=64, description="IANA name, like `Europe/Berlin`.")] = "UTC"
    input: Annotated[str, Field(min_length=1, max_length=LONGEST_INPUT, description="The request, in plain words.")]
    documents: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=20)] = []


@router.post("", status_code=201, responses=documented(404))
async def add_schedule(new: NewSchedule, agent: TheAgent, principal: ThePrincipal, response: Response) -> Schedule:
    """Make a request at set times from now on. Each time has a thread of its own and is begun once."""
    schedule = await agent.schedules.add(
        new.name,
        cron=new.cron,
        timezone=new.timezone,
        input=new.input,
        documents=new.documents,
        principal=principal,
    )
    response.headers["Location"] = f"/v1/schedules/{schedule.name}"
    return schedule


@router.get("")
async def list_schedules(agent: TheAgent, principal: ThePrincipal) -> Page[Schedule]:
    """The company's schedules, by name, all at once, with what became of the last time of each."""
    return Page(data=await agent.schedules.list(principal=principal))


@router.get("/{name}", responses=documented(404))
async def get_schedule(name: str, agent: TheAgent, principal: ThePrincipal) -> Schedule:
    """A schedule and what became of its last time."""
    return await agent.schedules.get(name, principal=principal)


@router.delete("/{name}", status_code=204, responses=documented(404))
async def remove_schedule(name: str, agent: TheAgent, principal: ThePrincipal) -> None:
    """Begin nothing more of it. Runs that were begun go on."""
    await agent.schedules.remove(name, principal=principal)
