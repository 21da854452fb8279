"""What a request may reach of the running server."""

from __future__ import annotations

from typing import Annotated, TypedDict, cast

from fastapi import Depends, Request

from agent.service import Agent
from api.auth.authenticator import Authenticator
from api.observing.metrics import Metrics
from api.service import Service
from api.settings import ApiSettings
from api.startup import Startup
from prisma import Prisma


class State(TypedDict):
    """The lifespan's state: every request of a server sees the same."""

    settings: ApiSettings
    startup: Startup
    authenticator: Authenticator
    metrics: Metrics


# All of them coroutines: FastAPI would run a plain function in a thread.


async def get_settings(request: Request) -> ApiSettings:
    return cast("ApiSettings", request.state.settings)


async def get_startup(request: Request) -> Startup:
    return cast("Startup", request.state.startup)


async def get_metrics(request: Request) -> Metrics:
    return cast("Metrics", request.state.metrics)


async def get_service(request: Request) -> Service:
    return cast("Startup", request.state.startup).service


async def get_agent(request: Request) -> Agent:
    return cast("Startup", request.state.startup).service.agent


async def get_db(request: Request) -> Prisma:
    return cast("Startup", request.state.startup).service.db


TheSettings = Annotated[ApiSettings, Depends(get_settings)]
TheStartup = Annotated[Startup, Depends(get_startup)]
TheMetrics = Annotated[Metrics, Depends(get_metrics)]
TheService = Annotated[Service, Depends(get_service)]
TheAgent = Annotated[Agent, Depends(get_agent)]
TheDb = Annotated[Prisma, Depends(get_db)]
