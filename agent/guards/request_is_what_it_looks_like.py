"""What a person sees of a request is what the model reads.

Control characters and the bidirectional overrides, embeddings and isolates (Unicode TR 9) make the two differ; marks
that ordinary writing needs (ZWJ, ZWNJ, LRM, RLM) do not.
"""

from __future__ import annotations

import re

from agent.guarding import GuardContext, InputGuard

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\ud800-\udfff]"
)


def check(text: str, context: GuardContext) -> str | None:
    """Refuses control, bidirectional-override and tag characters."""
    del context
    found = _HIDDEN.search(text)
    if found is None:
        return None
    return f"The request holds the invisible character U+{ord(found[0]):04X} at position {found.start() + 1}."


guard = InputGuard("request_is_what_it_looks_like", check)
