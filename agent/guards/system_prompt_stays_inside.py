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
                fallback = fail[state]
                while fallback and character not in self._next[fallback]:
                    fallback = fail[fallback]
                fail[child] = self._next[fallback].get(character, 0)
                self._whole[child] |= self._whole[fail[child]]
                waiting.append(child)
        return fail

    def follow(self, state: int, text: str) -> int | None:
        """The state after some more text, 0 being the start; None where a phrase ended in it."""
        nexts, fail, whole = self._next, self._fail, self._whole
        for character in text:
            while (after := nexts[state].get(character)) is None and state:
                state = fail[state]
            state = after or 0
            if whole[state]:
                return None
        return state

    def begun(self, state: int) -> int:
        """How many of the last characters are the beginning of a phrase."""
        return self._depth[state]


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
        after = spotter.follow(state, text[len(text) - fresh :].lower())
        if after is None:
            return Sight(refused="The answer recites the instruction of the model.")
        state, begun = after, spotter.begun(after)
        return Sight(hold=begun) if begun else NOTHING

    return look


guard = OutputGuard("system_prompt_stays_inside", watch)
