"""Guards: one a file in `agent/guards/`; the folder is the registry.

An input guard sees the whole request before anything is answered. An output guard sees the answer while it streams, and
says how many of the last characters could be the beginning of something forbidden: those are held back, so nothing
forbidden has left when it is recognised. Harmless text is not delayed.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

LOOK_AHEAD = 64  # characters: the longest thing that an output guard can recognise before its start has left


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What a guard may know. `system_prompt` is the instruction that the model was given."""

    max_input_chars: int
    system_prompt: str = ""


@dataclass(frozen=True, slots=True)
class InputGuard:
    """A rule about requests. `check` returns why the request is refused, or None."""

    name: str
    check: Callable[[str, GuardContext], str | None]


@dataclass(frozen=True, slots=True)
class Sight:
    """What an output guard saw: `refused` says why the answer stops here, `hold` how many characters must wait."""

    hold: int = 0
    refused: str | None = None


class Look(Protocol):
    """Called whenever the answer grew, with its last characters (up to three times `LOOK_AHEAD`); the last `fresh` of
    them, at most `LOOK_AHEAD`, were not shown before."""

    def __call__(self, text: str, fresh: int, /) -> Sight: ...


@dataclass(frozen=True, slots=True)
class OutputGuard:
    """A rule about answers. `watch` starts watching one answer."""

    name: str
    watch: Callable[[GuardContext], Look]


class OutputRefused(Exception):
    """The answer stops here. `guard` saw why."""

    def __init__(self, guard: str, reason: str) -> None:
        super().__init__(reason)
        self.guard = guard
        self.reason = reason


class OutputFilter:
    """Lets an answer through as it is generated, less what the guards hold back."""

    def __init__(self, guards: Sequence[OutputGuard], context: GuardContext) -> None:
        self._looks = [(guard.name, guard.watch(context)) for guard in guards]
        self._text = ""  # the last characters, of which the last `_held` have not left
        self._held = 0

    def feed(self, text: str) -> str:
        """Take generated text; returns what may leave now.

        Raises:
            OutputRefused: A guard recognised something forbidden. What was held back never leaves.
        """
        out: list[str] = []
        for start in range(0, len(text), LOOK_AHEAD):
            piece = text[start : start + LOOK_AHEAD]
            self._text = self._text[-2 * LOOK_AHEAD :] + piece
            hold = 0
            for name, look in self._looks:
                sight = look(self._text, len(piece))
                if sight.refused is not None:
                    raise OutputRefused(name, sight.refused)
                hold = max(hold, sight.hold)
            fresh = self._held + len(piece)
            hold = min(hold, fresh, LOOK_AHEAD)
            out.append(self._text[len(self._text) - fresh : len(self._text) - hold])
            self._held = hold
        return "".join(out)

    def drop(self) -> None:
        """What was held back never leaves."""
        self._held = 0

    def finish(self) -> str:
        """Nothing follows: what was held back was harmless."""
        held, self._held = self._held, 0
        return self._text[len(self._text) - held :]


Guard = InputGuard | OutputGuard


@cache
def guards() -> tuple[Guard, ...]:
    """Every guard in `agent/guards/`, by name.

    Raises:
        TypeError: A file there does not define exactly one guard, named as the file.
    """
    package = importlib.import_module("agent.guards")
    found: list[Guard] = []
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"agent.guards.{info.name}")
        here = [value for value in vars(module).values() if isinstance(value, InputGuard | OutputGuard)]
        if len(here) != 1 or here[0].name != info.name:
            raise TypeError(f"agent/guards/{info.name}.py must define exactly one guard, named {info.name!r}")
        found.append(here[0])
    return tuple(found)


def input_guards() -> list[InputGuard]:
    """Those that look at requests."""
    return [guard for guard in guards() if isinstance(guard, InputGuard)]


def output_guards() -> list[OutputGuard]:
    """Those that look at answers."""
    return [guard for guard in guards() if isinstance(guard, OutputGuard)]
