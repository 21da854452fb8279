"""An answer holds no bank account, card or national identity number but those that the run has read.

The customer's own account number, from a record or a document that the person may see, passes. One that nothing holds,
or that only a page on the web holds, does not. Each number is told by its check digits, which one in ten to one in a
hundred numbers of the same length meets by chance. Names and places are not looked for: guesses at them are poor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from agent.following import follow
from agent.guarding import GuardContext, Look, OutputGuard

_BETWEEN = r"[ \u00a0\u2009\u202f.-]"  # at most one, between two groups
_GROUP = re.compile(r"[0-9A-Za-z]+")
_RUN = re.compile(rf"(?<![0-9A-Za-z_])(?=[A-Za-z]{{0,6}}[0-9])[0-9A-Za-z]+(?:{_BETWEEN}[0-9A-Z]+)*")
_SHORTEST, _LONGEST = 9, 34
_MOST_GROUPS = 9  # of an IBAN with a blank after every fourth character


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of number: its form without separators, the lengths of its groups (any if none), python-stdnum's check."""

    name: str
    form: re.Pattern[str]
    groups: tuple[tuple[int, ...], ...]
    check: str


KINDS = (
    Kind("a bank account number (IBAN)", re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}"), (), "iban"),
    Kind("a card number", re.compile(r"(?:4|5[1-5]|2[2-7]|6[05])\d+"), ((16,), (4, 4, 4, 4)), "luhn"),
    Kind("a card number", re.compile(r"3[47]\d{13}"), ((15,), (4, 6, 5)), "luhn"),
    Kind("a German tax number", re.compile(r"\d{11}"), ((11,), (2, 3, 3, 3)), "de.idnr"),
    Kind("a French insurance number", re.compile(r"[12]\d{14}"), ((15,), (13, 2), (1, 2, 2, 2, 3, 3, 2)), "fr.nir"),
    Kind("a Swiss social security number", re.compile(r"756\d{10}"), ((13,), (3, 4, 4, 2)), "ch.ssn"),
    Kind("a Spanish identity number", re.compile(r"\d{8}[A-Z]"), ((9,), (8, 1)), "es.dni"),
    Kind("a Spanish identity number", re.compile(r"[XYZ]\d{7}[A-Z]"), ((9,), (1, 7, 1)), "es.nie"),
    Kind("an Italian tax code", re.compile(r"[A-Z]{6}[0-9A-Z]{10}"), ((16,),), "it.codicefiscale"),
    Kind("a Polish identity number", re.compile(r"\d{11}"), ((11,),), "pl.pesel"),
    Kind("a Belgian identity number", re.compile(r"\d{11}"), ((11,), (2, 2, 2, 3, 2), (6, 3, 2)), "be.nn"),
)  # fmt: skip


@cache
def _check_of(module: str) -> Callable[[str], Any]:
    """`is_valid` of a module of python-stdnum, loaded when a number of its form turns up."""
    from importlib import import_module

    return cast("Callable[[str], Any]", import_module(f"stdnum.{module}").is_valid)


def _numbers(run: str) -> Iterator[tuple[str, str]]:
    """`(kind, number without separators)` of each personal number in a run of groups."""
    groups = [match[0].upper() for match in _GROUP.finditer(run)]
    for first in range(len(groups)):
        number = ""
        for last, group in enumerate(groups[first : first + _MOST_GROUPS], start=first):
            number += group
            if len(number) > _LONGEST:
                break
            if len(number) < _SHORTEST:
                continue
            lengths = tuple(map(len, groups[first : last + 1]))
            for kind in KINDS:
                if kind.groups and lengths not in kind.groups:
                    continue
                if kind.form.fullmatch(number) and _check_of(kind.check)(number):
                    yield kind.name, number


def find(text: str) -> frozenset[str]:
    """The personal numbers in `text`, without separators."""
    return frozenset(
        number for run in _RUN.finditer(text) if len(run[0]) >= _SHORTEST for _, number in _numbers(run[0])
    )


def watch(context: GuardContext) -> Look:
    """Watches one answer for personal numbers that the run has not read."""
    seen = context.seen

    def judge(match: re.Match[str]) -> str | None:
        run = match[0]
        if match.end() == len(match.string):  # its last group may go on
            run = run[: max(run.rfind(mark) for mark in " \u00a0\u2009\u202f.-") + 1]
        if len(run) < _SHORTEST:
            return None
        for kind, number in _numbers(run):
            if number not in seen.values(find, but=("web",)):
                return f"The answer holds {kind} that no record or document of this conversation holds."
        return None

    return follow(
        wakes="[0-9A-Z]",
        begins=rf"(?<![0-9A-Za-z_])(?:[A-Z]{{1,6}}|[A-Za-z]{{0,6}}[0-9][0-9A-Za-z]*(?:{_BETWEEN}[0-9A-Z]+)*){_BETWEEN}?",
        value=_RUN,
        judge=judge,
    )


guard = OutputGuard("personal_numbers_have_an_origin", watch)
