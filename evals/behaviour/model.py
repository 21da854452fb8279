"""What a behaviour is: a case, how its request is changed, what may or must change with it. See `behaviours.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter

from evals.case import Case, Part, Seed, SeedCustomer, Solution

FILE = Path(__file__).with_name("behaviours.yaml")


class Variant(Part):
    """The same request once more: in other words, about a customer of another name, or with its lines in another order.

    `solution` is needed where the words that are looked up change too.
    """

    how: Literal["paraphrase", "name", "order"]
    say: Annotated[Sequence[str], Field(min_length=1)]
    renamed: Annotated[Mapping[str, str], Field(description="New name by customer id.")] = {}
    solution: Solution | None = None


class Invariance(Part):
    """Whatever the variant, the same is done to the world. With `alike`, the answers must be alike too, by chrF."""

    kind: Literal["invariance"]
    name: str
    case: str
    variants: Annotated[Sequence[Variant], Field(min_length=1)]
    alike: Annotated[float | None, Field(ge=0, le=1)] = None


class Request(Part):
    """One side of a direction."""

    say: Annotated[Sequence[str], Field(min_length=1)]
    solution: Solution


class Direction(Part):
    """`measure` of `more` is greater than that of `less`: how often a person was asked, or the sum of new invoices."""

    kind: Literal["direction"]
    name: str
    measure: Literal["asked", "total"]
    less: Request
    more: Request


class Ability(Part):
    """A plain request reaches the tool."""

    kind: Literal["ability"]
    name: str
    tool: str
    case: str


Behaviour = Annotated[Invariance | Direction | Ability, Field(discriminator="kind")]
_FILE: TypeAdapter[list[Behaviour]] = TypeAdapter(list[Behaviour])


def load_behaviours(path: Path = FILE) -> list[Invariance | Direction | Ability]:
    """Raises ValidationError for a file that holds none."""
    data: Any = yaml.safe_load(path.read_text("utf-8"))
    return list(_FILE.validate_python(data))


def variant_of(case: Case, variant: Variant, number: int) -> Case:
    """The case that the variant makes of another one."""
    renamed = [SeedCustomer(id=customer, name=name) for customer, name in variant.renamed.items()]
    seed: Seed = case.seed.model_copy(update={"customers": [*case.seed.customers, *renamed]})
    changes = {"name": f"{case.name}_{variant.how}_{number}", "say": list(variant.say), "seed": seed}
    return case.model_copy(update=changes | ({"solution": variant.solution} if variant.solution else {}))


def request_case(name: str, request: Request) -> Case:
    return Case(name=name, say=list(request.say), solution=request.solution)
