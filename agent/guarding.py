"""Guards: one a file in `agent/guards/`; the folder is the registry.

An input guard sees the whole request before anything is answered. An output guard sees the answer while it streams, and
says how many of the last characters could be the beginning of something forbidden: those are held back, so nothing
forbidden has left when it is recognised. Harmless text is not delayed.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, Protocol

from agent.principal import Role
from agent.seen import Seen
from agent.topics import Topic

LOOK_AHEAD = 64  # characters: the longest thing that an output guard can recognise before its start has left

Classifier = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What a guard may know.

    Attributes:
        system_prompt: The instruction that the model was given.
        look_ahead: Characters that may be held back, `LOOK_AHEAD` or more.
        secrets: Values of our own settings that no answer may hold.
        seen: What the conversation has shown the model.
        roles: Of whoever asks.
        topics, off_topic: What may be asked about, and what becomes of the rest.
        follows: The request continues a conversation.
        names: Names that a request must not imitate.
        classify: Looks at each sentence of an answer; what it objects to is advice, never a refusal.
    """

    max_input_chars: int
    system_prompt: str = ""
    look_ahead: int = LOOK_AHEAD
    secrets: tuple[str, ...] = ()
    seen: Seen = field(default_factory=Seen)
    roles: frozenset[Role] = frozenset()
    topics: Mapping[str, Topic] = field(default_factory=dict[str, Topic])
    off_topic: Literal["allow", "refuse"] = "allow"
    follows: bool = False
    names: tuple[str, ...] = ()
    classify: Classifier | None = None


@dataclass(frozen=True, slots=True)
class InputGuard:
    """A rule about requests. `check` returns what is wrong with one, or None.

    `advises`: a guess, which is told and recorded and refuses nothing.
    """

    name: str
    check: Callable[[str, GuardContext], str | None]
    advises: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What an output guard saw: `refused` says why the answer stops here, `hold` how many characters must wait,
    `advice` what somebody should know of an answer that goes on."""

    hold: int = 0
    refused: str | None = None
    advice: str | None = None


NOTHING = Sight()


class Look(Protocol):
    """Called whenever the answer grew, with its last characters (up to three times the look-ahead); the last `fresh` of
    them, at most the look-ahead, were not shown before. When the answer ends, it is called with a line feed."""

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
    """Lets an answer through as it is generated, less what the guards hold back.

    Attributes:
        advice: `(guard, what it noticed)`, in order.
    """

    def __init__(self, guards: Sequence[OutputGuard], context: GuardContext) -> None:
        self._looks = [(guard.name, guard.watch(context)) for guard in guards]
        self._look_ahead = context.look_ahead
        self._text = ""  # the last characters, of which the last `_held` have not left
        self._held = 0
        self.advice: list[tuple[str, str]] = []

    def feed(self, text: str) -> str:
        """Take generated text; returns what may leave now.

        Raises:
            OutputRefused: A guard recognised something forbidden. What was held back never leaves.
        """
        if len(text) <= self._look_ahead:
            return self._take(text)
        pieces = range(0, len(text), self._look_ahead)
        return "".join([self._take(text[start : start + self._look_ahead]) for start in pieces])

    def _take(self, piece: str) -> str:
        fresh, hold = len(piece), 0
        self._text = text = self._text[-2 * self._look_ahead :] + piece
        for name, look in self._looks:
            sight = look(text, fresh)
            if sight is NOTHING:
                continue
            if sight.refused is not None:
                self.drop()
                raise OutputRefused(name, sight.refused)
            if sight.advice is not None:
                self.advice.append((name, sight.advice))
            hold = max(hold, sight.hold)
        waiting = self._held + fresh
        self._held = hold = min(hold, waiting, self._look_ahead)
        return text[len(text) - waiting : len(text) - hold]

    def drop(self) -> None:
        """What was held back never leaves."""
        self._held = 0

    def finish(self) -> str:
        """Nothing follows: returns what was held back and is harmless, now that it is whole.

        Raises:
            OutputRefused: It is not.
        """
        held = self._text[len(self._text) - self._held :]
        if self._text:
            self._take("\n")
            self.drop()
        return held


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
