"""What a company wants to be asked about, and by whom. Words decide, no model does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from agent.principal import Role


class Topic(BaseModel):
    """Something that requests are about.

    Attributes:
        words: A request that holds one of them speaks of the topic. Whole words, any case; `pay*` begins a word.
        roles: Who may ask about it: everybody when not set, nobody when empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...] = Field(min_length=1)
    roles: frozenset[Role] | None = None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = (re.escape(word.rstrip("*")) + (r"\w*" if word.endswith("*") else "") for word in self.words)
        return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)

    def is_spoken_of(self, text: str) -> bool:
        """Whether `text` holds one of the topic's words."""
        return self._pattern.search(text) is not None


Topics = Mapping[str, Topic]
