"""No word of a request looks like another one: Cyrillic or Greek letters among Latin ones, where they look the same.

Refused are identifiers and addresses with such letters, words that mix them so that only the letters' codes tell, and
names that the guard is given, in another script altogether. Text in Russian, Ukrainian or Greek passes, and so do the
endings that Russian gives to Latin abbreviations (`PDF\u043a\u0430`), units and formulas (`\u03bcm`, `\u0394t`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from agent.guarding import GuardContext, InputGuard

# Letters that most typefaces draw alike. Source: Unicode TR 39, confusables.txt, single letters only.
_ALIKE = str.maketrans(
    "АВЕКМНОРСТХУІЈЅԌԚԜаеорсухіјѕԁһԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρυϲϳ",
    "ABEKMHOPCTXYIJSGQWaeopcyxijsdhqwlABEZHIKMNOPTYXovpucj",
)
_WORD = re.compile(r"[\w@.]+(?:-[\w@.]+)*")
_LATIN, _OTHER = re.compile(r"[A-Za-z]"), re.compile("[\u0370-\u03ff\u0400-\u052f]")
_IDENTIFIER = re.compile(r"(?:cus|doc|inv|pay)_\w+|INV-\d[\d-]+|[A-Z]{2,4}-[0-9]{3,6}|[\w.+-]+@[\w.-]+\.[A-Za-z]{2,}")
_ABBREVIATION = re.compile("[A-Z0-9]{2,}-?[\u0430-\u044f\u0451]{1,5}")  # with its Russian ending


def check(text: str, context: GuardContext) -> str | None:
    """Refuses the first word that is not what it looks like."""
    if text.isascii():
        return None
    names = _folded(context.names)
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text)):
        word = match[0]
        if word.isascii() or _OTHER.search(word) is None:
            continue
        plain = word.translate(_ALIKE)
        if plain.isascii() and (_imitates(word, plain) or plain.casefold() in names):
            where = f"The word {word!r} at position {match.start() + 1}"
            return f"{where} looks like {plain!r} but is written with other letters."
    return None


def _imitates(word: str, plain: str) -> bool:
    if _IDENTIFIER.fullmatch(plain):
        return True
    mixed = _LATIN.search(word) is not None and sum(map(str.isalpha, word)) > 2
    return mixed and _ABBREVIATION.fullmatch(word) is None


@lru_cache(maxsize=64)
def _folded(names: tuple[str, ...]) -> frozenset[str]:
    """The words of names that are long enough to be one."""
    words = {word.casefold() for name in names for word in name.split() if len(word) > 3}
    return frozenset(words | {name.casefold() for name in names})


guard = InputGuard("names_are_not_imitated", check)
