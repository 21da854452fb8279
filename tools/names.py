"""Whether two names mean the same company: exactly, or only perhaps."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

# Legal forms, which people leave out. Source: ISO 20275 abbreviations of the commoner ones.
_LEGAL_FORMS = frozenset(
    """ab ag aps as asa bv bvba co company corp corporation doo ea eg gmbh gmbhcokg inc incorporated kft kg kk limited
    llc llp lp ltd ltda mbh nv ohg oy oyj plc pty pte pvt sa sarl sas sasu se sl sp spa spol spzoo sro srl ug
    oo z zoo""".split()
)
SIMILAR = 0.8  # ratio from which a name is offered as similar; below are only chance likenesses


def normalize(name: str) -> str:
    """`name` in lower case, without accents, punctuation and legal forms at its end; not empty if it has letters."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("&", " and "))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    words = re.sub(r"[^\w\s]", "", re.sub(r"[-/,]", " ", plain)).split()
    kept = list(words)
    while len(kept) > 1 and kept[-1] in _LEGAL_FORMS:
        kept.pop()
    return " ".join(kept)


def same(one: str, other: str) -> bool:
    """Whether both are the same name but for case, accents, punctuation and legal form."""
    return bool(normalize(one)) and normalize(one) == normalize(other)


def begins(query: str, name: str) -> bool:
    """Whether `name` is called like `query` and more: "Acme" begins Acme Tooling Ltd."""
    return normalize(name).startswith(f"{normalize(query)} ")


def likeness(query: str, name: str) -> int:
    """How alike, in percent: 100 is `same`; all words of one in the other is 90; else by letters, as typos need, of the
    whole names or of as many first words as are asked for: people shorten names, and mistype them so."""
    wanted, found = normalize(query), normalize(name)
    if not wanted or not found:
        return 0
    if wanted == found:
        return 100
    wanted_words, found_words = set(wanted.split()), set(found.split())
    if wanted_words <= found_words or found_words <= wanted_words:
        return 90
    beginning = " ".join(found.split()[: len(wanted.split())])
    return int(max(SequenceMatcher(None, wanted, part).ratio() for part in (found, beginning)) * 100)


def similar(query: str, name: str) -> bool:
    return likeness(query, name) >= SIMILAR * 100


def identifier(text: str) -> str:
    """A tax or company number as letters and digits alone: "NO 931.186.745 MVA" is "NO931186745MVA"."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())
