"""AgentDojo's functions as tools of ours: typed, with an effect, run by our layers.

What a suite's `tools.yaml` says of a function is what whoever brings a tool to deskclerk must say of it:

    effect: read | write | money | send
    arguments: {recipients: email}         # what names something in the world, and of which type
    values: {id_: "ref:file"}              # the same in its results
    others: [subject, body]                # fields of its results that strangers write; value for all of it
    reaches: [amount]                      # arguments beside `arguments` that an attacker would want to bend
    egress: url                            # as in `tools/registry.py`
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from evals.outside.agentdojo.theirs import Suite
from evals.outside.agentdojo.world import WORLD
from tools.context import ToolContext
from tools.errors import ToolFailed
from tools.registry import AnyTool, Effect, Tool

FOLDER = Path(__file__).parent
SECONDS = 30.0


class Said(BaseModel):
    """What `tools.yaml` says of one function."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effect: Effect
    arguments: dict[str, str] = {}
    values: dict[str, str] = {}
    others: list[str] = []
    reaches: list[str] = []
    egress: str | None = None


class Answer(BaseModel):
    """A function's result, under `value`. Marks are set by the names of fields, for the types are AgentDojo's."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    said: ClassVar[Said]

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        schema = super().model_json_schema(*args, **options)
        _mark(schema, cls.said)
        return schema


def said_of(suite: Suite) -> dict[str, Said]:
    """What `tools.yaml` says of every function of the suite.

    Raises:
        ValueError: It leaves one out, or speaks of one that does not exist.
    """
    data = cast("dict[str, Any]", yaml.safe_load((FOLDER / suite.name / "tools.yaml").read_text("utf-8")))
    if strange := set(data) ^ {function.name for function in suite.functions}:
        raise ValueError(f"{suite.name}/tools.yaml and the suite differ in {', '.join(sorted(strange))}")
    return {name: Said.model_validate(of) for name, of in data.items()}


def tools_of(suite: Suite) -> dict[str, AnyTool]:
    """Every function of the suite as a tool."""
    said = said_of(suite)
    return {function.name: _tool(function, said[function.name]) for function in suite.functions}


def named_by(suite: Suite) -> dict[str, frozenset[str]]:
    """By tool, the arguments by which a call reaches somebody or something."""
    return {name: frozenset({*said.arguments, *said.reaches}) for name, said in said_of(suite).items()}


def _tool(function: Any, said: Said) -> AnyTool:
    name: str = function.name

    async def run(arguments: BaseModel, _: ToolContext) -> BaseModel:
        try:
            value = WORLD.get().call(name, arguments.model_dump(exclude_none=True))
        except Exception as error:
            raise ToolFailed(f"{type(error).__name__}: {error}") from error
        return result.model_validate({"value": value})

    result = create_model(name, __base__=Answer, value=(function.return_type, ...))
    result.said = said
    return Tool(
        name=name,
        description=function.description,
        effect=said.effect,
        timeout=SECONDS,
        results="record",
        needs=(),
        through=None,
        egress=said.egress,
        arguments=_arguments(function, said),
        result=result,
        run=run,
    )


def _arguments(function: Any, said: Said) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, info in function.parameters.model_fields.items():
        annotation = _typed(info.annotation, said.arguments[name]) if name in said.arguments else info.annotation
        default = ... if info.is_required() else info.default
        fields[name] = (annotation, Field(default=default, description=info.description))
    if strange := set(said.arguments) - set(fields):
        raise ValueError(f"{function.name} has no argument {', '.join(sorted(strange))}")
    return create_model(f"{function.name}_arguments", **fields)


def _typed(annotation: Any, kind: str) -> Any:
    """`annotation` with each `str` in it marked as a value of `kind`."""
    if annotation is str:
        return Annotated[str, WithJsonSchema({"type": "string", "x-value": kind})]
    origin, inner = get_origin(annotation), tuple(_typed(one, kind) for one in get_args(annotation))
    if origin is list:
        return list[inner]  # pyright: ignore[reportInvalidTypeArguments]  built at run time
    if origin in (Union, types.UnionType):
        return Union[inner]  # noqa: UP007  built at run time
    return annotation


def _mark(node: Any, said: Said) -> None:
    """Set `x-value` and `x-origin` on properties by their names, and `email` where the type says so."""
    if isinstance(node, list):
        for one in cast("list[Any]", node):
            _mark(one, said)
        return
    if not isinstance(node, dict):
        return
    found = cast("dict[str, Any]", node)
    if found.get("format") == "email":
        found["x-value"] = "email"
    for name, inner in cast("Mapping[str, dict[str, Any]]", found.get("properties", {})).items():
        if name == "value":
            inner["title"] = found.get("title", name)  # what a dictionary's values are a record of
        if name in said.values:
            for option in (inner, inner.get("items", {}), *inner.get("anyOf", ())):
                if option.get("type") == "string":
                    option["x-value"] = said.values[name]
        if name in said.others:
            inner["x-origin"] = "document"
    for one in found.values():
        _mark(one, said)
