"""What a server observes, put together from its settings."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.middleware import Middleware

from agent.observer import Observer, Observers
from api.middleware.observed import Observed
from api.observing.metrics import Metrics
from api.observing.run_log import RunLog

if TYPE_CHECKING:
    from api.observing.tracing import Tracing
    from api.settings import ApiSettings

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class TelemetryMissing(Exception):
    """Traces are switched on, and the packages that make them are not installed."""


@dataclass(frozen=True, slots=True)
class Observing:
    """Metrics, the log of runs and, where they are switched on, traces."""

    metrics: Metrics
    observer: Observer
    tracing: Tracing | None

    @property
    def middleware(self) -> list[Middleware]:
        """Inside the one that gives requests their ids."""
        wanted = [Middleware(Observed, metrics=self.metrics)]
        if self.tracing is not None:
            from api.observing.tracing import TraceRequests

            wanted.append(Middleware(TraceRequests, tracing=self.tracing))
        return wanted

    async def close(self) -> None:
        """Send the traces that wait."""
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)


def observe(settings: ApiSettings) -> Observing:
    """Begin to observe.

    Raises:
        TelemetryMissing: The extra `telemetry` is not installed.
    """
    metrics, content = Metrics(), settings.log_content == "on"
    tracing = _trace(content=content) if settings.traces == "on" else None
    observers = [metrics, RunLog(content=content), *([tracing] if tracing is not None else [])]
    return Observing(metrics, Observers(observers), tracing)


def _trace(*, content: bool) -> Tracing | None:
    if not any(os.environ.get(name) for name in ENDPOINTS):
        log.warning("traces_have_no_receiver", extra={"set": ENDPOINTS[-1]})
        return None
    try:
        from api.observing.tracing import Tracing
    except ModuleNotFoundError as error:
        raise TelemetryMissing(
            f"DESKCLERK_TRACES=on needs the extra `telemetry` ({error.name} is missing): "
            "pip install 'deskclerk[telemetry]', from a checkout `pip install -e '.[telemetry]'`."
        ) from None
    return Tracing(content=content)
