"""A waiting call as a person reads it: in a chat, and on the page of its link. What others wrote stays plain text."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, cast

_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # Unicode categories: controls, marks of direction, private use

EFFECTS = {
    "write": "changes our records",
    "money": "moves money",
    "send": "sends something out",
    "read": "only reads",
}


def origin_words(origin: str) -> str:
    """Where a value comes from. `origin` is as events have it: see `tools/origin.py`."""
    kind, _, rest = origin.partition("(")
    detail = rest.removesuffix(")")
    match kind:
        case "user":
            return "the words of the request"
        case "record":
            return f"our records ({detail})" if detail else "our records"
        case "document":
            return f"the document {detail}"
        case "web":
            return f"the page {detail}"
        case "tool":
            return f"worked out by {detail}" if detail else "worked out"
        case _:
            return "nowhere: the model made it up"


def is_doubtful(origin: str) -> bool:
    """Whether a person should look twice: others wrote it, or nobody did."""
    return origin.partition("(")[0] not in ("user", "record", "tool")


def rows(arguments: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each argument as `(path, value, origin)`; a list or an object is shown by its parts where they have origins."""
    for path, value in _leaves("", arguments):
        yield path, shown(value), origins.get(path, "model")


def shown(value: object) -> str:
    """One value on one line, whole; what nobody could see in it is made visible."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return "".join("\ufffd" if unicodedata.category(char) in _UNSEEN else char for char in text)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[Any]", value)):
            yield from _leaves(f"{path}[{index}]", inner)
    else:
        yield path, value
