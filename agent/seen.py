"""What a conversation has shown the model: an answer may repeat it, and names nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from agent.grounding import Grounding, origin_of_text
from agent.messages import ChatMessage
from tools.origin import OriginKind

Finder = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """The person's words and the results of tools, each with its origin; not what the model itself has said.

    `grounding` also knows what earlier turns named whose messages no longer fit the model's window.
    """

    texts: Sequence[tuple[OriginKind, str]] = ()
    grounding: Grounding | None = None
    _found: dict[Finder, list[tuple[OriginKind, frozenset[str]]]] = field(
        default_factory=dict[Finder, list[tuple[OriginKind, frozenset[str]]]], compare=False
    )

    @classmethod
    def of(cls, messages: Sequence[ChatMessage], grounding: Grounding | None = None) -> Seen:
        """What these messages showed."""
        texts: list[tuple[OriginKind, str]] = [
            (_origin(message), message.content) for message in messages if message.role in ("user", "tool")
        ]
        return cls(texts, grounding)

    def values(self, find: Finder, *, but: Collection[OriginKind] = ()) -> frozenset[str]:
        """What `find` finds in all texts, less those of the origins `but`. Each text is read once."""
        if find not in self._found:
            self._found[find] = [(kind, find(text)) for kind, text in self.texts]
        return frozenset[str]().union(*(values for kind, values in self._found[find] if kind not in but))

    def names(self, kind: str, value: str) -> bool:
        """Whether the grounding knows a value of this type."""
        return self.grounding is not None and self.grounding.origin_of(kind, value) is not None


def _origin(message: ChatMessage) -> OriginKind:
    return "user" if message.role == "user" else origin_of_text(message.content)
