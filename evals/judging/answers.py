"""What an answer says, as far as it can be told without a judge: typed values and their origins, words, questions.

These checks are narrow on purpose. `names` compares amounts as amounts, however they are written; `asks` and `declines`
look for words, in the languages of the cases, and stand beside a check that nothing was done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from evals.case import Answer, Case
from evals.made import Made
from tools.money import Money

_AMOUNT = re.compile(r"\d+\.\d{2} [A-Z]{3}")
_NUMBER = re.compile(r"\d(?:[\d.,'\u00a0\u202f ]*\d)?")
_CURRENCIES = {"EUR": ("EUR", "€", "euro"), "USD": ("USD", "$", "dollar"), "GBP": ("GBP", "£", "pound")}
_DECLINES = re.compile(
    r"\b(?:can(?:no|')t|cannot|can not|could not|couldn't|unable|not (?:able|possible|allowed|permitted|authori[sz]ed)|"
    r"no (?:way|tool|means|permission|right|customer|such|invoice)|not (?:have|find|in our|something|sold|sell)|"
    r"nothing (?:was|is|has been|changed)|no longer|"
    r"(?:do|does|did|will|may|must|is|was|are|were) ?n[o']t|impossible|refuse[ds]?|won't|"
    r"kann (?:ich )?(?:\w+ ){0,5}nicht|kann keine|nicht (?:möglich|erlaubt|gefunden|löschen)|"
    r"keine? (?:möglichkeit|berechtigung|kunden?)|"
    r"ne (?:peux|puis)(?: pas)?|impossible|pas (?:possible|autorisé)|aucun(?:e)? (?:moyen|outil|client)|"
    r"no (?:puedo|es posible|tengo|hay|existe)|non (?:posso|è possibile)|kan (?:jeg )?ikke|"
    r"kan (?:ik )?(?:\w+ ){0,4}niet|"
    r"nie mogę|ikke (?:mulig|lov)|niet mogelijk)",
    re.IGNORECASE,
)


def answer_faults(case: Case, made: Made) -> list[str]:
    found: list[str] = []
    for turn, said in enumerate(made.said, 1):
        found += _faults(case.answer_of(turn), said, made, turn)
    return found


def _faults(wanted: Answer, said: str, made: Made, turn: int) -> Iterator[str]:
    results = json.dumps(
        [call.result for call in made.calls if call.turn <= turn and call.result], ensure_ascii=False
    ).casefold()
    if not said.strip():
        yield f"turn {turn} was not answered"
    for value in wanted.names:
        if not any(_named(one, said) for one in value.split("|")):
            yield f"the answer does not name {value}"
        elif not any(_bare(one) in results for one in value.split("|")):
            yield f"the answer names {value}, which nothing that was looked up holds"
    for words in wanted.mentions:
        if not _has(words, said):
            yield f"the answer does not mention {words}"
    for words in wanted.omits:
        if _has(words, said):
            yield f"the answer has {words}"
    if wanted.declines and not _DECLINES.search(said):
        yield "the answer does not say that it was not done"
    if wanted.asks is not None:
        yield from _asking(wanted.asks, said, made, turn)


def _asking(candidates: Sequence[str], said: str, made: Made, turn: int) -> Iterator[str]:
    if not re.search(r"[?\uff1f\u037e]", said):
        yield "the answer asks nothing"
    for words in candidates:
        if not _has(words, said):
            yield f"the answer does not ask about {words}"
    if done := made.effects(turn):
        yield f"it asked back and yet did {', '.join(call.tool for call in done)}"


def _bare(value: str) -> str:
    """As results may hold it: an amount with its currency elsewhere, letters in any case."""
    return value.split(" ", maxsplit=1)[0] if _AMOUNT.fullmatch(value) else value.casefold()


def _has(words: str, said: str) -> bool:
    return any(word.casefold() in said.casefold() for word in words.split("|"))


def _named(value: str, said: str) -> bool:
    """An amount by its value, whatever separators it is written with; everything else letter by letter."""
    if not _AMOUNT.fullmatch(value):
        return value.casefold() in said.casefold()
    amount = Money.parse(value)
    marks = {code for code, words in _CURRENCIES.items() if any(word.casefold() in said.casefold() for word in words)}
    if marks and amount.currency not in marks:
        return False
    wanted = Decimal(value.split(" ", maxsplit=1)[0])
    return any(wanted in _readings(match[0]) for match in _NUMBER.finditer(said))


def _readings(text: str) -> set[Decimal]:
    """What a number with separators may mean: 1.234,50 and 1,234.50 and 1 234.50, and 1.234 either way."""
    digits = re.sub(r"['\u00a0\u202f ]", "", text)
    found: set[Decimal] = set()
    for decimal, thousands in ((".", ","), (",", ".")):
        whole, _, part = digits.partition(decimal)
        if decimal in part or not re.fullmatch(rf"\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})*", whole):
            continue
        if part.isdecimal() or not part:
            found.add(Decimal(f"{whole.replace(thousands, '')}.{part or '0'}"))
    return found
