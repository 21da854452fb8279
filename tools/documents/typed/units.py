"""Units of measure as people write them, as codes of UN/ECE Recommendation 20."""

from __future__ import annotations

import re

_CODES: dict[str, str] = {
    **dict.fromkeys("pcs pc piece pieces ea each unit units item items pce no pièce pièces".split(), "C62"),
    **dict.fromkeys("st stk stück stueck".split(), "C62"),
    **dict.fromkeys("h hr hrs hour hours std stunde stunden heure heures".split(), "HUR"),
    **dict.fromkeys("d day days tag tage jour jours".split(), "DAY"),
    **dict.fromkeys("month months monat monate mois".split(), "MON"),
    **dict.fromkeys("kg kilo kilos".split(), "KGM"),
    **dict.fromkeys("g gram grams".split(), "GRM"),
    **dict.fromkeys("t ton tons tonne tonnes".split(), "TNE"),
    **dict.fromkeys("m meter metre meters metres".split(), "MTR"),
    **dict.fromkeys("l liter litre liters litres ltr".split(), "LTR"),
    **dict.fromkeys("box boxes karton".split(), "BX"),
    **dict.fromkeys("pack packs pk packung".split(), "PK"),
    **dict.fromkeys("set sets satz".split(), "SET"),
    **dict.fromkeys("pair pairs paar".split(), "PR"),
    **dict.fromkeys("pallet pallets palette".split(), "PF"),
    **dict.fromkeys("roll rolls rolle".split(), "RO"),
    **dict.fromkeys("m2 sqm m²".split(), "MTK"),
    **dict.fromkeys("m3 m³".split(), "MTQ"),
}  # fmt: skip
UNIT_WORDS = "|".join(sorted((re.escape(word) + r"(?![\w-])\.?" for word in _CODES), key=len, reverse=True))


def unit_code(written: str) -> str:
    """The code of a unit; what is written where it is none of the known words; empty for nothing."""
    word = written.strip(" .").lower()
    return _CODES.get(word, written.strip())
