"""The form of `tools.yaml`. What is wrong with it is told with its place, and nothing starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.registry import Effect

MAX_BYTES = 1_000_000
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Mark = Literal["customer", "product", "document", "invoice", "payment", "email", "url", "money"]


class OutsideToolsInvalid(Exception):
    """The tools of others cannot be used as `tools.yaml` says. The message says where and why."""

    code = "invalid_tools"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wrapped(Part):
    """What must be known of any tool before it is used. `effect` has no default: nobody but you knows it."""

    effect: Annotated[
        Effect, Field(description="What a call does to the world; what the tool says of itself is advice.")
    ]
    timeout: Annotated[float, Field(gt=0, le=600, description="Seconds.")] = 30.0
    arguments: Annotated[
        dict[str, Mark], Field(description="Arguments that name something: only known values get there.")
    ] = {}
    egress: Annotated[str | None, Field(description="The argument that is an address which the call goes to.")] = None


class LangChainTool(Wrapped):
    """`use` is `module:name` of a tool, a class of tools, or a function that makes one of `options`."""

    name: Name
    use: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]
    options: dict[str, object] = {}


class McpTool(Wrapped):
    """One tool of a server. `digest` is of its name, description and schema, as they were when you looked at them."""

    digest: Annotated[str | None, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None


class McpServer(Part):
    """A server over standard input and output (`command`), or over streamable HTTP (`url`).

    A value in `env` or `headers` that begins with `$` is read from our environment.
    """

    command: Annotated[list[str] | None, Field(min_length=1)] = None
    url: Annotated[str | None, Field(pattern=r"^https?://\S+$")] = None
    env: dict[str, str] = {}
    headers: dict[str, str] = {}
    tools: Annotated[dict[str, McpTool], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("say either `command` or `url`")
        return self


class ToolsFile(Part):
    """The file."""

    version: Literal[1] = 1
    langchain: list[LangChainTool] = []
    mcp: dict[Name, McpServer] = {}


def load_tools_file(path: Path) -> ToolsFile:
    """What the file says.

    Raises:
        OutsideToolsInvalid: It cannot be read, or is none.
    """
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise OutsideToolsInvalid(f"{path}: has more than {MAX_BYTES} bytes.")
        return ToolsFile.model_validate(yaml.safe_load(content) or {})
    except OSError as error:
        raise OutsideToolsInvalid(f"{path}: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise OutsideToolsInvalid(f"{path}: is not YAML: {error}") from None
    except ValidationError as error:
        said = [f"{path}: {'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors()]
        raise OutsideToolsInvalid("\n".join(said)) from None


def from_environment(values: dict[str, str], where: str) -> dict[str, str]:
    """`$NAME` replaced by our variable of that name.

    Raises:
        OutsideToolsInvalid: It is not set.
    """
    found: dict[str, str] = {}
    for key, value in values.items():
        if value.startswith("$"):
            name = value[1:].strip("{}")
            if name not in os.environ:
                raise OutsideToolsInvalid(f"{where}.{key}: the environment has no {name}.")
            value = os.environ[name]  # noqa: PLW2901
        found[key] = value
    return found
