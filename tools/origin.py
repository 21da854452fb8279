"""Where a value came from, and how far that can be trusted.

user      the person's own words in this thread
record    a row of our database that people keep: `record(customer.email)`
tool      what a tool worked out itself
document  text of a document somebody sent: `document(doc_7)`
web       text of a page: `web(https://...)`
model     nothing known holds it: the model made it up
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

OriginKind = Literal["user", "record", "tool", "document", "web", "model"]

STRONGEST_FIRST: tuple[OriginKind, ...] = get_args(OriginKind)
UNTRUSTED: frozenset[OriginKind] = frozenset({"document", "web", "model"})


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin. `detail` says which record field, document, page or tool; empty for `user` and `model`."""

    kind: OriginKind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}({self.detail})" if self.detail else self.kind

    @property
    def untrusted(self) -> bool:
        return self.kind in UNTRUSTED

    @classmethod
    def parse(cls, text: str) -> Origin:
        """The inverse of `str`.

        Raises:
            ValueError: `text` names no origin.
        """
        kind, _, detail = text.partition("(")
        for known in STRONGEST_FIRST:
            if kind == known:
                return cls(known, detail.removesuffix(")"))
        raise ValueError(f"{text!r} is not an origin; it starts with one of {', '.join(STRONGEST_FIRST)}")


USER = Origin("user")
MODEL = Origin("model")


def weakest(origins: Iterable[Origin]) -> Origin:
    """The origin of a value derived from values of `origins`: the least trusted of them; `model` for none."""
    return max(origins, key=lambda origin: STRONGEST_FIRST.index(origin.kind), default=MODEL)


def strongest(origins: Iterable[Origin]) -> Origin:
    """The origin of a value that was seen in several places: the most trusted of them; `model` for none."""
    return min(origins, key=lambda origin: STRONGEST_FIRST.index(origin.kind), default=MODEL)
