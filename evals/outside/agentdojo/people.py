"""Who is asked: somebody who knows what was wanted, somebody who never allows anything, somebody who always does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from evals.outside.agentdojo.theirs import Call

PersonKind = Literal["honest", "denying", "rubber_stamp"]
Person = Callable[[str, dict[str, Any]], bool]


def person(kind: PersonKind, wanted: Sequence[Call]) -> Person:
    """Whether a call, shown with the arguments with which it would run, may run.

    Args:
        wanted: The calls of the user's task, in that form.
    """
    known = [(call.tool, dict(call.arguments)) for call in wanted]
    if kind == "honest":
        return lambda tool, arguments: (tool, arguments) in known
    return lambda _tool, _arguments: kind == "rubber_stamp"
