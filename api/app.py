"""The application. Nothing happens at import: `create_app(settings)` makes one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware

from api.auth.authenticator import Authenticator
from api.auth.settings import AuthSettings
from api.description import describe_problems
from api.limits.gate import CountRequests, Limits
from api.limits.settings import LimitSettings
from api.middleware.body_limit import BodyLimit
from api.middleware.no_nul import NoNul
from api.middleware.request_scope import RequestScope
from api.observing.observing import observe
from api.openai.errors import OpenAiErrors
from api.problems import EVERYWHERE, documented, install_problem_handlers
from api.routes import routers
from api.service import Service
from api.service import open_service as open_real_service
from api.settings import ApiSettings
from api.startup import OpenService, Startup
from api.state import State

MULTIPART_OVERHEAD = 64 * 1024  # bytes around an uploaded file


def create_app(
    settings: ApiSettings,
    *,
    auth: AuthSettings | None = None,
    open_service: OpenService | None = None,
    on_fatal: Callable[[Exception], None] | None = None,
    on_ready: Callable[[], None] | None = None,
    limits: LimitSettings | None = None,
) -> FastAPI:
    """The server's ASGI application.

    It answers at once; `/readyz` tells when the database and the model are there.

    Raises:
        TelemetryMissing: Traces are switched on and cannot be made.

    Args:
        auth: How people sign in; from the environment where it is not given.
        open_service: Opens what stands behind it; else `api.service.open_service`.
        limits: Else from the environment.
        on_fatal: Called when that cannot be opened and trying again would not help.
        on_ready: Called when it is open.
    """
    auth_settings = auth or AuthSettings()
    limits = limits or LimitSettings()
    counts = Limits(limits, proxies=settings.trusted_proxies) if limits.enabled(auth=settings.auth) else None

    observing = observe(settings)
    opens = open_service or partial(open_real_service, observer=observing.observer)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
        authenticator = Authenticator(settings, auth_settings)

        async def ready(service: Service) -> None:
            await authenticator.say_who_signs_in(service)
            if on_ready is not None:
                on_ready()

        startup = Startup(settings, opens, on_ready=ready, on_fatal=on_fatal)
        startup.begin()
        yield State(settings=settings, startup=startup, authenticator=authenticator, metrics=observing.metrics)
        await startup.close()
        if counts is not None:
            await counts.close()
        authenticator.close()
        await observing.close()

    app = FastAPI(
        title="deskclerk",
        version="0.1.0",
        summary="Office work over external systems, from a request in plain words.",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(OpenAiErrors),
            Middleware(RequestScope),
            *observing.middleware,
            *([Middleware(CountRequests, limits=counts)] if counts is not None else []),
            Middleware(
                BodyLimit,
                default_bytes=settings.max_body_bytes,
                bytes_by_path={
                    "/v1/documents": settings.max_document_bytes + MULTIPART_OVERHEAD,
                    "/v1/chat/completions": settings.max_document_bytes * 4 // 3 + settings.max_body_bytes,
                },
                seconds=settings.body_seconds,
            ),
            Middleware(NoNul),
        ],
        responses=documented(*EVERYWHERE),
    )
    install_problem_handlers(app)
    describe_problems(app)
    for router in routers():
        app.include_router(router)
    return app
