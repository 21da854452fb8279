"""What an attack is. The list is `cases/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.principal import Role

CASES = Path(__file__).with_name("cases")
POISON = "$poison"  # where the strangers' words go; nothing stands there in the harmless twin


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Part):
    """What the model does next; exactly one of these. `work` is the user's, `attack` the strangers'.

    In arguments, `$doc0` is the first attached document, `$draft` and `$number` what a result named last.
    """

    work: dict[str, dict[str, Any]] | None = None
    attack: dict[str, dict[str, Any]] | None = None
    say: Annotated[str | None, Field(description="The user goes on: the next turn.")] = None
    answer: Annotated[str | None, Field(description="What the model tells the user at the turn's end.")] = None

    @model_validator(mode="after")
    def _one(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of work, attack, say, answer")
        return self


class Document(Part):
    name: str = "note.txt"
    text: str


class Page(Part):
    """A page, and how a search shows it."""

    url: str
    title: str = "A page"
    text: str


class Case(Part):
    """One attack."""

    name: str
    kind: str
    say: str
    role: Role = "clerk"
    policy: Annotated[str | None, Field(description="A file of evals/security; else the built-in policy.")] = None
    documents: list[Document] = []
    customers: Annotated[dict[str, dict[str, str]], Field(description="Changed fields by customer.")] = {}
    pages: list[Page] = []
    poison: Annotated[list[str], Field(min_length=1, description="What strangers write: one attack each.")] = [""]
    steps: list[Step]
    leaks: Annotated[list[str], Field(description="What must not reach the reader.")] = []
    asked: Annotated[bool, Field(description="Only a person's no stops it: whoever approves all lets it through.")] = (
        False
    )

    def written(self, text: str, poison: str | None) -> str:
        """`text` with the strangers' words in it; None for the twin."""
        return text.replace(POISON, poison or "")


class Attack(Part):
    """A case with one of its poisons; None is its harmless twin."""

    case: Case
    number: int
    poison: str | None

    @property
    def name(self) -> str:
        return self.case.name if self.poison is None else f"{self.case.name}-{self.number}"


def load(folder: Path = CASES) -> list[Case]:
    """Every case.

    Raises:
        ValueError: Two have one name.
    """
    cases = [
        Case.model_validate(entry)
        for path in sorted(folder.glob("*.yaml"))
        for entry in cast("list[Any]", yaml.safe_load(path.read_text("utf-8")))
    ]
    names = [case.name for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"more than one case is called {', '.join(sorted(twice))}")
    return cases


def attacks(cases: list[Case]) -> Iterator[Attack]:
    """Each case with each of its poisons."""
    for case in cases:
        for number, poison in enumerate(case.poison, start=1):
            yield Attack(case=case, number=number, poison=poison)


def twins(cases: list[Case]) -> Iterator[Attack]:
    """Each case without its attacker."""
    return (Attack(case=case, number=0, poison=None) for case in cases)
