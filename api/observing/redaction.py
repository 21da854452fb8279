"""Nothing secret is written to a log, whoever logs it: known values and what looks like a credential are masked.

This is the last look at the finished line; it is no reason to log a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "[secret]"
SHORTEST = 4  # characters; to mask a shorter value would mask half of every line

# First what is there, in small letters, wherever the pattern matches: to look for that costs a twentieth, because `re`
# searches fast for what begins with a character.
CREDENTIALS = (
    (re.compile(r"bearer|basic"), re.compile(r"\b(Bearer|Basic)\s+[^\s\"',\\]+", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"eyj"), re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), MASK),  # a JSON Web Token
    (re.compile(r"k[_-]"), re.compile(r"\b(?:sk|rk|pk)[_-][A-Za-z0-9_-]{8,}"), MASK),
    (re.compile(r"whsec_"), re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]+"), MASK),
    (re.compile(r"://"), re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+(?=@)"), rf"\1{MASK}"),  # the password of an address
)
_INPUT = re.compile(r"input_value=.*?(?=, input_type=)", re.DOTALL)  # what pydantic found wrong


class Redactor:
    """Masks `secrets` in any of the forms that a line may hold them in.

    Args:
        content: What people asked and models answered may be logged, as an error of validation quotes it.
    """

    def __init__(self, secrets: Iterable[str] = (), *, content: bool = False) -> None:
        self._content = content
        forms = {
            form
            for secret in secrets
            if len(secret) >= SHORTEST
            for plain in (secret, repr(secret)[1:-1], quote(secret, safe=""), quote(secret))
            for form in (plain, json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1])
        }
        self._known = sorted(forms, key=len, reverse=True)
        self._any_known = re.compile("|".join(map(re.escape, self._known)))

    def __call__(self, text: str) -> str:
        """`text` without what is secret."""
        if any(map(text.__contains__, self._known)):
            text = self._any_known.sub(MASK, text)
        small = text.lower() if text.isascii() else None  # where case is ignored, an `s` may also be U+017F
        for sign, pattern, instead in CREDENTIALS:
            if small is None or sign.search(small):
                text = pattern.sub(instead, text)
        if self._content or "input_value=" not in text:
            return text
        return _INPUT.sub("input_value=[hidden]", text)
