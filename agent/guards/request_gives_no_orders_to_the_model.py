"""Advice: a request that reads like an attempt to give the model other instructions.

Shapes of known injections, in English, German, French and Spanish. They prove nothing, for a person may quote one, and
miss what is worded in another way, so nothing is refused: what holds is that policy decides each call by the origin of
its arguments. The event tells whoever watches.
"""

from __future__ import annotations

import re

from agent.guarding import GuardContext, InputGuard

_SHAPES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instructions?|prompts?|rules|guidelines|policy)\b",
        r"\b(?:ignoriere?|vergiss|missachte)\b[^.\n]{0,40}\b(?:anweisung(?:en)?|regeln|vorgaben)\b",
        r"\b(?:ignorez?|oubliez?)\b[^.\n]{0,40}\b(?:instructions?|consignes|r\u00e8gles)\b",
        r"\b(?:ignora|olvida)\b[^.\n]{0,40}\b(?:instrucciones|reglas)\b",
        r"\byou are now\b[^.\n]{0,40}\b(?:dan|developer mode|jailbroken|unrestricted|another|a different)\b",
        r"\b(?:developer|god|debug|jailbreak) mode\b",
        r"\b(?:reveal|print|repeat|show|output)\b[^.\n]{0,30}\b(?:system prompt|(?:hidden|initial) instructions)\b",
        r"<\|(?:im_start|im_end|system|endoftext)|\[/?INST\]|<</?SYS>>|</?untrusted|^\s*(?:system|assistant)\s*:",
        r"\b(?:approval|approved|policy check)\b[^.\n]{0,30}\b(?:already granted|not (?:needed|required)|skip|bypass)",
    )
)


def check(text: str, context: GuardContext) -> str | None:
    """Notices the first shape of an injection."""
    del context
    found = next((match for shape in _SHAPES if (match := shape.search(text))), None)
    return None if found is None else f"It reads like an order to the model: {' '.join(found[0].split())[:80]!r}."


guard = InputGuard("request_gives_no_orders_to_the_model", check, advises=True)
