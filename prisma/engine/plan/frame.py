"""Where a running plan keeps its values.

A frame is a list. Every parameter, constant and `let` binding of a plan has a slot of its own, found when the plan is
compiled, so running it looks nothing up by name. A frame is made by copying the plan's template.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from prisma.drivers.base import Statements
from prisma.drivers.values import now

Frame: TypeAlias = list[Any]
Pure: TypeAlias = Callable[[Frame], Any]
Impure: TypeAlias = Callable[[Frame], Awaitable[Any]]

STATEMENTS = 0  # slot of the connection that the plan runs on
NOW = 1  # slot of the moment that every `now()` of one run gives
FIRST_PARAMETER = 2


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled plan node. `run` gives the value, or where the node asks the database (`impure`) an awaitable."""

    run: Callable[[Frame], Any]
    impure: bool


def statements_of(frame: Frame) -> Statements:
    return frame[STATEMENTS]


def moment_of(frame: Frame) -> Any:
    """The same moment however often one run asks."""
    if frame[NOW] is None:
        frame[NOW] = now()
    return frame[NOW]
