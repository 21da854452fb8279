"""One way to name what a call is: sha256 over its canonical JSON."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson


def digest(**parts: Any) -> str:
    """Hexadecimal sha256 of `parts` as JSON with sorted keys. Equal values give equal digests in every process."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def call_digest(tool: str, arguments: dict[str, Any]) -> str:
    """Names a call by what it does."""
    return digest(tool=tool, arguments=arguments)


def approval_digest(tool: str, arguments: dict[str, Any], origins: dict[str, str]) -> str:
    """Names what a person is asked: a change of tool, an argument or an origin needs a new answer."""
    return digest(tool=tool, arguments=arguments, origins=origins)
