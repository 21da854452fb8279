"""One tool a file in `tools/catalog/`; the folder is the registry."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, get_args, get_type_hints, runtime_checkable

from pydantic import BaseModel

from tools.context import ToolContext
from tools.origin import OriginKind

Effect = Literal["read", "write", "money", "send"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)

A = TypeVar("A", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Tool(Generic[A, R]):
    """A typed call on the outside world.

    Attributes:
        effect: What a call does to the world. `read` may be repeated; nothing else is.
        timeout: Seconds until `TimedOut`.
        results: Origin of the values in its result; `document` and `web` are untrusted text.
        needs: Fields of `ToolContext` that must be there (not None) for the tool to be offered.
        egress: The argument that is an address outside which a call goes to; None for none. It leaves with the call,
            so policy treats one of untrusted origin as sending.
        through: The field of `ToolContext` whose system (`tools/system.py`) has the effect; None for our own database.
    """

    name: str
    description: str
    effect: Effect
    timeout: float
    results: OriginKind
    needs: tuple[str, ...]
    through: str | None
    egress: str | None
    arguments: type[A]
    result: type[R]
    run: Callable[[A, ToolContext], Awaitable[R]]


def tool(
    *,
    effect: Effect,
    timeout: float,
    results: OriginKind = "record",
    needs: tuple[str, ...] = (),
    through: str | None = None,
    egress: str | None = None,
) -> Callable[[Callable[[A, ToolContext], Awaitable[R]]], Tool[A, R]]:
    """Make a tool of an async function `(arguments model, context) -> result model`; its docstring is for the model.

    Raises:
        TypeError: No docstring, an unknown effect, or annotations that are not pydantic models.
    """
    if effect not in EFFECTS:
        raise TypeError(f"effect={effect!r} is not one of {', '.join(EFFECTS)}")

    def wrap(function: Callable[[A, ToolContext], Awaitable[R]]) -> Tool[A, R]:
        name = function.__name__
        hints = get_type_hints(function)
        result = hints.pop("return", None)
        arguments = next(iter(hints.values()), None)
        for what, hint in (("first parameter", arguments), ("result", result)):
            if not (inspect.isclass(hint) and issubclass(hint, BaseModel)):
                raise TypeError(f"tool {name!r}: its {what} is not annotated with a pydantic model")
        description = inspect.getdoc(function)
        if not description:
            raise TypeError(f"tool {name!r} has no docstring to tell the model what it does")
        return Tool(
            name=name,
            description=description,
            effect=effect,
            timeout=timeout,
            results=results,
            needs=needs,
            through=through,
            egress=egress,
            arguments=cast("type[A]", arguments),
            result=cast("type[R]", result),
            run=function,
        )

    return wrap


AnyTool = Tool[Any, Any]


@runtime_checkable
class Abridged(Protocol):
    """A result that says more than a model should read: it is shown this. Who watches the run gets all of it."""

    def for_model(self) -> BaseModel: ...


def shown(result: BaseModel) -> BaseModel:
    """What a model reads of a result."""
    return result.for_model() if isinstance(result, Abridged) else result


@cache
def catalog() -> dict[str, AnyTool]:
    """Every tool in `tools/catalog/`, by name.

    Raises:
        TypeError: A file there does not define exactly one tool, named as the file.
    """
    package = importlib.import_module("tools.catalog")
    found: dict[str, AnyTool] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"tools.catalog.{info.name}")
        tools = [cast("AnyTool", value) for value in vars(module).values() if isinstance(value, Tool)]
        if len(tools) != 1 or tools[0].name != info.name:
            raise TypeError(f"tools/catalog/{info.name}.py must define exactly one tool, named {info.name!r}")
        found[info.name] = tools[0]
    return found
