"""`policy.yaml`, read once at start. What is wrong with it is told with file and line, and nothing starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ValidationError

from agent.grounding.walk import schema_of
from agent.policy.decide import Policy
from agent.policy.lines import Lines, NotYaml, Where
from agent.policy.match import covers
from agent.policy.model import Capability, PolicyFile, Rule
from tools.origin import UNTRUSTED
from tools.registry import AnyTool, catalog

DEFAULT = "default.yaml"
MAX_BYTES = 1_000_000
MAX_SHOWN = 20  # complaints
FREE = "*"  # for a path: an argument without a shape of its own, like a dictionary's


class InvalidPolicy(Exception):
    """The policy cannot be used. `complaints` says, a line each, where and why."""

    code: ClassVar[str] = "invalid_policy"

    def __init__(self, source: str, complaints: Sequence[tuple[int, str]]) -> None:
        self.source = source
        self.complaints = [f"{source}:{line}: {text}" for line, text in complaints[:MAX_SHOWN]]
        super().__init__("\n".join([f"The policy cannot be used ({self.code}).", *self.complaints]))


def load_policy(path: Path | None, tools: Mapping[str, AnyTool]) -> Policy:
    """The policy in a file; without one, the built-in.

    Args:
        path: Of a `policy.yaml`.
        tools: What its rules can be about. A rule about a tool or an argument that does not exist is an error, for it
            would protect nothing.

    Raises:
        InvalidPolicy: The file cannot be read, or is not a policy of these tools.
    """
    if path is None:
        return default_policy()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidPolicy(str(path), [(1, error.strerror or "It cannot be read.")]) from None
    return parse_policy(content, str(path), tools)


@cache
def default_policy() -> Policy:
    """The built-in policy, which names no tool but those of the catalogue."""
    text = resources.files("agent.policy").joinpath(DEFAULT).read_bytes()
    return parse_policy(text, f"built-in {DEFAULT}", catalog())


def parse_policy(content: bytes, source: str, tools: Mapping[str, AnyTool]) -> Policy:
    """The policy that `content` is.

    Raises:
        InvalidPolicy: It is none.
    """
    if len(content) > MAX_BYTES:
        raise InvalidPolicy(source, [(1, f"A policy has at most {MAX_BYTES} bytes.")])
    try:
        lines = Lines.parse(content)
    except NotYaml as error:
        raise InvalidPolicy(source, [(error.line, str(error))]) from None
    try:
        policy = PolicyFile.model_validate(lines.data)
    except ValidationError as error:
        raise InvalidPolicy(source, sorted({_complaint(lines, one) for one in error.errors()})) from None
    if wrong := list(_unknown(policy, tools)):
        raise InvalidPolicy(source, [(lines.line(where), text) for where, text in wrong])
    return Policy(policy, source=source)


def _complaint(lines: Lines, error: Any) -> tuple[int, str]:
    where: Where = tuple(error["loc"])
    shown = ".".join(map(str, lines.known(where)))
    return lines.line(where), f"{shown}: {error['msg']}" if shown else str(error["msg"])


# ------------------------------------------------------------ what is in it


def _unknown(policy: PolicyFile, tools: Mapping[str, AnyTool]) -> Iterator[tuple[Where, str]]:
    """What names a tool or an argument that does not exist."""
    for index, one in enumerate(policy.capabilities):
        yield from _unknown_tools(("capabilities", index), one, tools)
    for index, rule in enumerate(policy.rules):
        where = ("rules", index)
        yield from _unknown_tools(where, rule, tools)
        about = [tool for tool in tools.values() if covers(rule, tool)]
        limit = rule.limit
        for part, paths in (
            (("when",), list(rule.when)),
            (("require_origin",), list(rule.require_origin)),
            (("unless_origin",), list(rule.unless_origin)),
            (("unless_named",), list(rule.unless_named or ())),
            (("one_of_several",), list(rule.one_of_several or ())),
            (("carries",), list(rule.carries)),
            (("limit", "of"), [] if limit is None or limit.of is None else [limit.of]),
        ):
            for path in paths:
                if about and not any(has_path(tool, path) for tool in about):
                    text = f"rule {rule.name!r}: no tool that it is about has an argument {path!r}"
                    yield (*where, *part, path), f"{text}; there are: {', '.join(_paths_of_all(about))}."
        for number, entry in enumerate(rule.after_reading or ()):
            if entry.partition("(")[0] not in UNTRUSTED - {"model"} and not _is_tool(entry, tools):
                said = f"rule {rule.name!r}: {entry!r} is neither a tool nor 'document' nor 'web'."
                yield (*where, "after_reading", number), said


def _unknown_tools(where: Where, part: Rule | Capability, tools: Mapping[str, AnyTool]) -> Iterator[tuple[Where, str]]:
    for number, name in enumerate(part.tools or ()):
        if not _is_tool(name, tools):
            yield (*where, "tools", number), f"There is no tool {name!r}; there are: {', '.join(tools)}."


def _is_tool(name: str, tools: Iterable[str]) -> bool:
    return any(fnmatchcase(tool, name) for tool in tools)


def has_path(tool: AnyTool, path: str) -> bool:
    """Whether the tool has such an argument, or one below or above it."""
    return path == "*" or any(
        known == path
        or known.startswith((f"{path}.", f"{path}["))
        or (known.endswith(FREE) and path.startswith(known[:-1]))
        for known in paths_of(tool)
    )


def paths_of(tool: AnyTool) -> tuple[str, ...]:
    """Every argument's path, like `lines[*].quantity`."""
    return _paths_of(tool.arguments)


@cache
def _paths_of(arguments: type[BaseModel]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_paths(schema_of(arguments, "validation"), "")))


def _paths(schema: dict[str, Any], path: str) -> Iterator[str]:
    options: list[dict[str, Any]] = schema.get("anyOf") or schema.get("oneOf") or []
    for option in options:
        yield from _paths(option, path)
    if schema.get("type") == "object":
        for name, inner in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).items():
            yield from _paths(inner, f"{path}.{name}" if path else name)
        if schema.get("additionalProperties"):
            yield f"{path}.{FREE}" if path else FREE
    elif schema.get("type") == "array":
        yield from _paths(schema.get("items", {}), f"{path}[*]")
    elif not options and schema.get("type") != "null":
        yield path


def _paths_of_all(tools: Iterable[AnyTool]) -> list[str]:
    return list(dict.fromkeys(path for tool in tools for path in paths_of(tool)))
