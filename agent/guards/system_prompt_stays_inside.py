"""An answer does not recite the instruction that the model was given.

Recognised by the beginnings of the instruction's lines and sentences, up to `LOOK_AHEAD` characters of each, without
regard to case. Paraphrase gets through: the instruction holds no secret, it is only nobody's business.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from functools import lru_cache

from agent.guarding import LOOK_AHEAD, NOTHING, GuardContext, Look, OutputGuard, Sight

SHORTEST = 32  # characters; shorter sentences are what anybody might say


class Spotter:
    """Follows text one character at a time and knows how much of any phrase its end is the beginning of.

    An Aho-Corasick automaton (Aho and Corasick 1975): a step is one dictionary look-up, whatever the number of phrases.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._depth = [0]
        self._whole = [False]
        for phrase in phrases:
            state = 0
            for depth, character in enumerate(phrase, start=1):
                if character not in self._next[state]:
                    self._next[state][character] = len(self._next)
                    self._next.append({})
                    self._depth.append(depth)
                    self._whole.append(False)
                state = self._next[state][character]
            self._whole[state] = True
        self._fail = self._failures()

    def _failures(self) -> list[int]:
        """Where each state falls back to: the longest proper end of it that is a beginning, too."""
        fail = [0] * len(self._next)
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for character, child in self._next[state].items():
                fail[child] = self._step(fail[state], character, fail)
                self._whole[child] |= self._whole[fail[child]]
                waiting.append(child)
        return fail

    def _step(self, state: int, character: str, fail: list[int]) -> int:
        while state and character not in self._next[state]:
            state = fail[state]
        return self._next[state].get(character, 0)

    def step(self, state: int, character: str) -> int:
        """The state after one more character; 0 is the start."""
        return self._step(state, character, self._fail)

    def begun(self, state: int) -> int:
        """How many of the last characters are the beginning of a phrase."""
        return self._depth[state]

    def found(self, state: int) -> bool:
        """Whether a phrase ends here."""
        return self._whole[state]


@lru_cache(maxsize=64)  # one for each role and company
def spotter_of(instruction: str) -> Spotter:
    """Spots the long sentences of `instruction`."""
    sentences = (part.strip().lower()[:LOOK_AHEAD] for part in re.split(r"\n+|(?<=[.:;!?])\s+", instruction))
    return Spotter(sentence for sentence in sentences if len(sentence) >= SHORTEST)


def watch(context: GuardContext) -> Look:
    """Watches one answer for any long sentence of the instruction."""
    spotter, state = spotter_of(context.system_prompt), 0

    def look(text: str, fresh: int, /) -> Sight:
        nonlocal state
        for character in text[len(text) - fresh :].lower():
            state = spotter.step(state, character)
            if spotter.found(state):
                return Sight(refused="The answer recites the instruction of the model.")
        begun = spotter.begun(state)
        return Sight(hold=begun) if begun else NOTHING

    return look


guard = OutputGuard("system_prompt_stays_inside", watch)
