"""A script with a tool's call in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
