"""Where the values that a plan mentions are when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, TypeAlias, cast

from prisma.engine.generators import GENERATORS
from prisma.engine.plan.frame import FIRST_PARAMETER, Frame, moment_of
from prisma.errors import UnsupportedPlanError

Scope: TypeAlias = Mapping[str, int]  # name -> slot
Operand: TypeAlias = int | Callable[[Frame], Any]  # a slot, or what makes the value


class Operands:
    """Gives out the slots of a plan's frame and keeps the template that every run copies."""

    def __init__(self, parameters: int) -> None:
        self.template: Frame = [None] * (FIRST_PARAMETER + parameters)
        self.parameters: Scope = {f"%{number}": FIRST_PARAMETER + number - 1 for number in range(1, parameters + 1)}

    def slot(self, value: Any = None) -> int:
        self.template.append(value)
        return len(self.template) - 1

    def operand(self, value: Any, scope: Scope) -> Operand:
        """The slot where a value of the plan is at run time, or a function that makes it."""
        if isinstance(value, dict):
            return self._operand_of(cast("dict[str, Any]", value), scope)
        if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in cast("list[Any]", value)):
            getters = [self.getter(item, scope) for item in cast("list[Any]", value)]
            return lambda frame: [get(frame) for get in getters]
        return self.slot(value)

    def _operand_of(self, value: dict[str, Any], scope: Scope) -> Operand:
        match value.get("prisma__type"):
            case "param":
                return lookup(scope, value["prisma__value"]["name"])
            case "generatorCall":
                return self._generator(value["prisma__value"], scope)
            case None:
                return self.slot(value)
            case other:
                raise UnsupportedPlanError(f"The plan has a value {other!r} that this client does not know.")

    def getter(self, value: Any, scope: Scope) -> Callable[[Frame], Any]:
        operand = self.operand(value, scope)
        return itemgetter(operand) if isinstance(operand, int) else operand

    def _generator(self, call: dict[str, Any], scope: Scope) -> Callable[[Frame], Any]:
        name = call["name"]
        if name == "now":
            return moment_of
        generate = GENERATORS.get(name)
        if generate is None:
            raise UnsupportedPlanError(f"The plan has a generator {name!r} that this client does not know.")
        getters = [self.getter(argument, scope) for argument in call["args"]]
        return lambda frame: generate(*[get(frame) for get in getters])

    def is_constant(self, slot: int) -> bool:
        """Whether a slot was filled when the plan was compiled: parameters and bindings are empty until it runs."""
        return self.template[slot] is not None


def lookup(scope: Scope, name: str) -> int:
    """The slot of a name.

    Raises:
        UnsupportedPlanError: Nothing defines it.
    """
    if name not in scope:
        raise UnsupportedPlanError(f"The plan reads {name!r}, which nothing in it defines.")
    return scope[name]
