"""An answer names no customer, invoice, payment or document that nothing in the conversation has named.

A model that has lost the thread invents the number of an invoice, and a person acts on it. What the person wrote, a
tool answered or a document holds passes; so does what earlier turns named. Products pass: their numbers look like those
of a standard or a form (`ISO-9001`).
"""

from __future__ import annotations

import re

from agent.following import beginnings, follow, starts
from agent.guarding import GuardContext, Look, OutputGuard
from tools.values import ENTITIES, Product

_KINDS = {f"ref:{entity.kind}": entity.pattern for entity in ENTITIES if entity is not Product}
_ANY = re.compile(rf"(?<![\w-])(?:{'|'.join(_KINDS.values())})(?![\w-])")
_WHOLE = re.compile(rf"(?<![\w-])(?:{'|'.join(_KINDS.values())})(?=[^\w-])")
_PREFIXES = ("cus_", "doc_", "inv_", "pay_", "INV-")
# Of a Stripe number, what stands before its hyphen: letters and digits, or it is a word or a date (`DEZEMBER-2026`).
_STRIPE = r"[0-9A-Z]{1,8}(?:-[0-9]*)?"
_WORDS = re.compile(r"(?:[A-Z]{8}|[0-9]{8})-")


def find(text: str) -> frozenset[str]:
    """The identifiers in `text`."""
    return frozenset(match[0] for match in _ANY.finditer(text))


def watch(context: GuardContext) -> Look:
    """Watches one answer for identifiers that nothing known holds."""
    seen = context.seen

    def judge(match: re.Match[str]) -> str | None:
        value = match[0]
        if _WORDS.match(value) or any(seen.names(kind, value) for kind in _KINDS) or value in seen.values(find):
            return None
        return f"The answer names {value!r}, which nothing in this conversation holds."

    return follow(
        wakes=rf"(?<![\w-])(?:[0-9A-Z]|{starts(_PREFIXES)})",
        begins=rf"(?<![\w-])(?:{beginnings(_PREFIXES)}|(?:cus|doc|inv|pay)_[a-z0-9]*|INV-[0-9-]*|{_STRIPE})",
        value=_WHOLE,
        judge=judge,
    )


guard = OutputGuard("references_have_an_origin", watch)
