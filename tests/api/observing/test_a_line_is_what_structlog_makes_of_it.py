"""A line that is written in one step is the one that structlog's own formatter writes, whatever is logged."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.observing.logs import RedactingFormatter, configure_logging
from api.request_id import begin_request

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


class Colour(Enum):
    RED = "red"


class Odd:
    def __str__(self) -> str:
        return "odd ö"

    def __repr__(self) -> str:
        return f"<{self}>"


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Unsayable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def circle() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def raised() -> BaseException:
    try:
        raise ValueError("broken: ü \ud800") from KeyError("why")
    except ValueError as error:
        return error


FIELDS: dict[str, dict[str, Any]] = {
    "a run": {"run_id": "run_1", "model": "m:x", "steps": 2, "error_code": None, "resumed": False, "seconds": 0.1235},
    "text": {"a": 'quo"te \\ / \n\t\x00\x7f', "b": "ä€😀", "c": "\ud800 alone", "ключ": "\u2028</script>", "": ""},
    "numbers": {
        "a": float("nan"),
        "b": float("inf"),
        "c": -0.0,
        "d": 2**80,
        "e": 1e22,
        "f": 1e-7,
        "g": Decimal("1.10"),
    },
    "keys": {"a": {7: "int", None: "none", True: "bool", 1.5: "float", "ü": "text"}},
    "objects": {
        "a": Odd(),
        "b": b"\xff",
        "c": Colour.RED,
        "d": datetime(2026, 1, 1, tzinfo=UTC),
        "e": Path("/a"),
        "f": {3},
    },
    "nested": {"a": [{"b": (1, [2, {"c": Odd()}])}], "d": ()},
    "our names": {"event": "other", "level": "loud", "logger": "me", "timestamp": "then", "request_id": "mine"},
    "structlog's names": {"_record": 1, "_from_structlog": 2, "exception": "e", "stack": "s", "positional_args": (1,)},
    "half of structlog": {"_logger": None},
    "colours": {"color_message": "\x1b[1mx\x1b[0m"},
    "context": {"run_id": "run_2", "user_id": "bob"},
    "a key that JSON has not": {"a": {(1, 2): 3}},
    "a circle": {"a": circle()},
    "what cannot be said": {"a": Unsayable()},
}
CALLS: dict[str, dict[str, Any]] = {
    "plain": {"msg": "run_began"},
    "positional": {"msg": "%s took %.1f of %r", "args": ("ö", 1.25, Odd())},
    "by name": {"msg": "%(a)s and %(b)d", "args": ({"a": "x", "b": 2},)},
    "a percent sign": {"msg": "100 % done"},
    "too few": {"msg": "%s %s", "args": (1,)},
    "not text": {"msg": ValueError("was raised")},
    "a dict": {"msg": {"event": "x", "b": Odd()}},
    "an error": {"msg": "failed", "exc_info": raised()},
    "no error": {"msg": "failed", "exc_info": True},
    "empty error": {"msg": "failed", "exc_info": (None, None, None)},
    "a stack": {"msg": "here", "sinfo": "Stack (most recent call last):\n  File x"},
    "a level of its own": {"msg": "x", "level": 15},
    "warn": {"msg": "x", "level": logging.WARNING},
    "critical": {"msg": "x", "level": logging.CRITICAL},
    "long": {"msg": "ü" * 5000},
    **{name: {"msg": "event", "extra": fields} for name, fields in FIELDS.items()},
}


def a_record(
    *,
    msg: object,
    args: tuple[Any, ...] = (),
    level: int = logging.INFO,
    exc_info: Any = None,
    sinfo: str | None = None,
    extra: dict[str, Any] | None = None,
) -> logging.LogRecord:
    """As `Logger._log` makes one."""
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif exc_info is True:
        exc_info = sys.exc_info()
    return logging.getLogger("some.library").makeRecord(
        "some.library", level, "file.py", 1, msg, args, exc_info, "function", extra, sinfo
    )


def formatters(form: Any) -> tuple[RedactingFormatter, structlog.stdlib.ProcessorFormatter]:
    """Ours, and structlog's with the same processors."""
    configure_logging(format=form, stream=io.StringIO())
    ours = logging.getLogger().handlers[0].formatter
    assert isinstance(ours, RedactingFormatter)
    return ours, structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=ours.foreign_pre_chain, processors=ours.processors
    )


def outcome(line: Callable[[], str]) -> str:
    """The line without its time, or the error instead of one."""
    try:
        return TIME.sub("now", line())
    except Exception as error:  # noqa: BLE001 - whatever the one raises, the other must
        return repr(error)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("call", CALLS)
def test_a_record_becomes_the_same_line(form: str, call: str):
    ours, theirs = formatters(form)
    structlog.contextvars.bind_contextvars(run_id="run_1", user_id="ann", tenant=Odd())
    begin_request("req-of-mine-1")
    line = outcome(lambda: ours.format(a_record(**CALLS[call])))
    assert line == outcome(lambda: theirs.format(a_record(**CALLS[call])))


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("call", ["an error", "a stack", "by name"])
def test_a_record_that_others_have_formatted_becomes_the_same_line_and_is_left_as_it_was(form: str, call: str):
    ours, theirs = formatters(form)
    record = a_record(**CALLS[call])
    logging.Formatter("%(asctime)s %(message)s").format(record)  # leaves its traces on the record
    before = dict(record.__dict__)
    assert outcome(lambda: ours.format(record)) == outcome(lambda: theirs.format(record))
    assert record.__dict__ == before


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_structlog_logs_becomes_the_same_line(form: str):
    ours, theirs = formatters(form)
    kept = Kept()
    logging.getLogger().handlers[:] = [kept]
    log = structlog.get_logger("ours").bind(bound=Odd())
    log.info("took %s", "long", value="ö")
    try:
        raise RuntimeError("ü")
    except RuntimeError:
        log.exception("failed")
    assert len(kept.records) == 2
    for record in kept.records:
        assert outcome(lambda record=record: ours.format(record)) == outcome(
            lambda record=record: theirs.format(record)
        )
