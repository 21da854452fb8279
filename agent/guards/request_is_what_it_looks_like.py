"""What a person sees of a request is what the model reads.

Control characters, tag characters and the bidirectional overrides and embeddings (Unicode TR 9) make the two differ;
so do invisible characters inside a word of a script that has no use for them. What ordinary writing needs passes:
joiners in Arabic, Persian and the scripts of India, word breaks in Thai and Khmer, variation selectors after a sign or
a kanji, the flags that are spelled in tags, first-strong isolates that are closed again.
"""

from __future__ import annotations

import re

from agent.guarding import GuardContext, InputGuard

_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
_ISOLATE = re.compile("\u2068[^\u2066-\u2069\n]*\u2069")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2065\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0100-\U000e01ef"
)
_PLAIN = "0-9A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f"  # Latin, Greek, Cyrillic and digits: nothing joins them
_INSIDE = re.compile(f"(?<=[{_PLAIN}_@.-])[{_INVISIBLE}]+(?=[{_PLAIN}_@.-])")
_MANY = re.compile(f"[{_INVISIBLE}]{{4,}}")  # in a row they write something of their own


def check(text: str, context: GuardContext) -> str | None:
    """Refuses characters that hide something, and says which and where."""
    del context
    shown = _ISOLATE.sub(lambda isolate: f".{isolate[0][1:-1]}.", _FLAG.sub(lambda flag: "." * len(flag[0]), text))
    found = _HIDDEN.search(shown) or _INSIDE.search(shown) or _MANY.search(shown)
    if found is None:
        return None
    return (
        f"The request holds the invisible character U+{ord(found[0][0]):04X} at position {found.start() + 1}. "
        "Write it again without."
    )


guard = InputGuard("request_is_what_it_looks_like", check)
