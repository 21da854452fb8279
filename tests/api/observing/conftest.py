"""A script with a tool's call in it; logging that a test may set up in its own way."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from api.observing.logs import LOOKED_UP

SCRIPT = {
    "native_tools": True,
    "answers": [
        {"when": "look up", "calls": [{"tool": "find_customer", "arguments": {"query": "ACME"}}], "always": True},
        {"when": "break", "text": "It was g", "error": "stream_broken", "message": "It went away.", "always": True},
        {"when": "slowly", "text": "one two three four five six seven eight", "delay_seconds": 0.3, "always": True},
        {"when": "forever", "text": "tick " * 600, "delay_seconds": 0.1, "always": True},
        {"text": "Found.", "delay_seconds": 0.02, "always": True},
    ],
}


@pytest.fixture
def two_steps(tmp_path: Path) -> Path:
    """The script's path: `look up` asks for a tool and then answers, `break` fails."""
    path = tmp_path / "two-steps.json"
    path.write_text(json.dumps(SCRIPT))
    return path


@pytest.fixture
def logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for fact in LOOKED_UP:
        monkeypatch.setattr(logging, fact, True, raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
