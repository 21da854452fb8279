"""Logs in one form, whoever writes them: ours, uvicorn's, a library's. JSON for machines, lines for a terminal.

Every `logging` call goes through structlog's formatter; `extra=` becomes fields, and the ids of the request, the run
and the user are added from the context.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from api.observing.redaction import Redactor
from api.request_id import current_request_id
from api.settings import LogFormat, LogLevel

QUIET = ("httpx", "httpcore", "aiohttp.access")  # they tell every call of the model, addresses and all
LOOKED_UP = ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks")  # for every record, and never told

_NO_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"_record", "_from_structlog", "color_message"}
_JSON = json.JSONEncoder(default=str)  # made once: `json.dumps` makes one for each line


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Structlog's formatter, and then one look for secrets at the finished line."""

    def __init__(self, redact: Redactor, **options: Any) -> None:
        super().__init__(**options)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class JsonFormatter(RedactingFormatter):
    """Writes what comes from `logging`, but for errors and stacks, in one step: it is what runs and requests log.

    The line is the one that structlog's processors make, at half of their cost.
    """

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.stack_info or "_logger" in record.__dict__:  # the last is structlog's own
            return super().format(record)
        level = record.levelname.lower()
        event = structlog.contextvars.merge_contextvars(None, level, {"event": record.getMessage()})
        _add_request_id(None, level, event)
        structlog.stdlib.add_log_level(None, level, event)
        event["logger"] = record.name
        for name, value in record.__dict__.items():
            if name not in _NO_FIELDS:
                event[name] = value
        event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return self._redact(_JSON.encode(event))


def configure_logging(
    *,
    format: LogFormat = "auto",
    level: LogLevel = "info",
    content: bool = False,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Let everything that is logged in this process go to `stream`, standard error when not given."""
    out: TextIO = sys.stderr if stream is None else stream
    console = format == "console" or (format == "auto" and out.isatty())
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _drop_colours]
    formatter = RedactingFormatter if console else JsonFormatter
    if console:
        last.append(
            structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        )
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter(Redactor(secrets, content=content), foreign_pre_chain=before, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for fact in LOOKED_UP:
        setattr(logging, fact, False)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            *before,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _drop_colours(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("color_message", None)  # uvicorn says some things twice
    return event


def _add_request_id(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    request_id = current_request_id()
    if request_id != "-":
        event.setdefault("request_id", request_id)
    return event
