"""Opening the service behind a server that already answers: how far it is, and what went wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from agent.llm.base import OnProgress, Progress
from agent.llm.errors import ModelError
from api.problems import Problem
from api.service import Service
from api.settings import ApiSettings
from prisma.errors import DatabaseConnectionError
from prisma.migrate.errors import DatabaseUnreachable, MigrationsLocked

log = logging.getLogger(__name__)

FIRST_RETRY = 1.0  # seconds
LONGEST_RETRY = 30.0  # seconds
PASSING = (ModelError, DatabaseConnectionError, DatabaseUnreachable, MigrationsLocked)


class OpenService(Protocol):
    def __call__(
        self, settings: ApiSettings, /, *, on_progress: OnProgress | None = None
    ) -> AbstractAsyncContextManager[Service]: ...


class Startup:
    """Opens the service in the background.

    A model or a database that cannot be reached is tried again, for a server often starts before what it needs.
    Anything else (a migration that was refused, a bug) is final: `on_fatal` is called with it.
    `on_ready` is called each time it is open.
    """

    def __init__(
        self,
        settings: ApiSettings,
        open_service: OpenService,
        *,
        on_ready: Callable[[Service], Awaitable[None]] | None = None,
        on_fatal: Callable[[Exception], None] | None = None,
    ) -> None:
        self._settings = settings
        self._open_service = open_service
        self._on_ready = on_ready
        self._on_fatal = on_fatal
        self._service: Service | None = None
        self._progress = Progress("starting", 0, None, "step")
        self._trouble = ""
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.create_task(self._run(), name="startup")

    async def close(self) -> None:
        """Close the service, or give up opening it."""
        assert self._task is not None
        self._closing.set()
        self._trouble = "The server is stopping."
        if self._service is None:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def opened(self) -> Service | None:
        """The service, ready or stopping; None while it is not there."""
        return self._service

    @property
    def service(self) -> Service:
        """The open service.

        Raises:
            Problem: 503 `not_ready`, with what is loading or what stands in the way.
        """
        if self._service is not None and self._service.agent.ready:
            return self._service
        detail = self._trouble or f"Loading: {self._progress.what}."
        progress = None if self._trouble else _as_json(self._progress)
        raise Problem(503, "not_ready", detail, headers={"Retry-After": "1"}, progress=progress)

    def _on_progress(self, progress: Progress) -> None:
        self._progress = progress

    async def _run(self) -> None:
        delay = FIRST_RETRY
        while True:
            try:
                async with self._open_service(self._settings, on_progress=self._on_progress) as service:
                    self._service, self._trouble = service, ""
                    log.info("ready")
                    if self._on_ready is not None:
                        await self._on_ready(service)
                    await self._closing.wait()
                    self._service = None
            except PASSING as error:
                self._trouble = str(error)
                log.warning("not ready, trying again in %.0f s: %s", delay, error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_RETRY)
            except Exception as error:
                self._trouble = "The server could not start; its log says why."
                if self._on_fatal is None:
                    raise
                self._on_fatal(error)
                return
            else:
                return


def _as_json(progress: Progress) -> dict[str, str | int | None]:
    return {"what": progress.what, "done": progress.done, "total": progress.total, "unit": progress.unit}
