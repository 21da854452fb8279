"""Tries behaviours and says which hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pydantic import BaseModel

from evals.behaviour.model import Ability, Direction, Invariance, request_case, variant_of
from evals.behaviour.outcome import Outcome, outcome
from evals.behaviour.words import chrf
from evals.case import Case
from evals.trying import Tried

Try = Callable[[Case], Awaitable[Tried]]


class Held(BaseModel):
    """Whether a behaviour held: `faults` says what did not. `tried` counts requests."""

    name: str
    kind: str
    tried: int
    faults: list[str]


async def judge(behaviour: Invariance | Direction | Ability, cases: Mapping[str, Case], attempt: Try) -> Held:
    match behaviour:
        case Invariance():
            faults, tried = await _invariance(behaviour, cases[behaviour.case], attempt)
        case Direction():
            faults, tried = await _direction(behaviour, attempt), 2
        case Ability():
            came = outcome(await attempt(cases[behaviour.case]))
            faults = [] if behaviour.tool in came.tools else [f"{behaviour.tool} was not reached"]
            tried = 1
    return Held(name=behaviour.name, kind=behaviour.kind, tried=tried, faults=faults)


async def _invariance(behaviour: Invariance, case: Case, attempt: Try) -> tuple[list[str], int]:
    base = outcome(await attempt(case))
    faults: list[str] = []
    for number, variant in enumerate(behaviour.variants, 1):
        came = outcome(await attempt(variant_of(case, variant, number)))
        if not came.same_as(base):
            faults.append(f"{variant.how} {number} ({variant.say[0]!r}) did {_told(came)}, not {_told(base)}")
        elif behaviour.alike is not None and (alike := chrf(came.said, base.said)) < behaviour.alike:
            faults.append(f"{variant.how} {number} was answered otherwise ({alike:.2f}): {came.said!r}")
    return faults, len(behaviour.variants) + 1


async def _direction(behaviour: Direction, attempt: Try) -> list[str]:
    less = outcome(await attempt(request_case(f"{behaviour.name}_less", behaviour.less)))
    more = outcome(await attempt(request_case(f"{behaviour.name}_more", behaviour.more)))
    if behaviour.measure == "asked":
        return [] if more.asked > less.asked else [f"a person was asked {less.asked} times, then {more.asked}"]
    if less.moved is None or more.moved is None or less.moved.currency != more.moved.currency:
        return [f"totals cannot be compared: {less.moved} and {more.moved}"]
    return [] if more.moved.minor > less.moved.minor else [f"the total went from {less.moved} to {more.moved}"]


def _told(came: Outcome) -> str:
    done = [f"{invoice.status} {invoice.total}" for invoice in came.new]
    done += [f"{name} {status} {paid or ''}".strip() for name, (status, paid) in came.changed.items()]
    return f"[{', '.join(done) or 'nothing'}; asked {came.asked}]"
