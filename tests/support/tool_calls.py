"""Calling a tool as the agent does: arguments as JSON, validated, then run."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tools.context import ToolContext
from tools.registry import catalog
from tools.values import Document, Ref

NextCall = Callable[[], ToolContext]


class Upload(Protocol):
    """Puts a sample, or `content` under that name, into the database."""

    def __call__(self, name: str, content: bytes | None = None, media_type: str = "") -> Awaitable[Ref[Document]]: ...


async def call(name: str, ctx: ToolContext, **arguments: Any) -> Any:
    """The typed result of tool `name`."""
    tool = catalog()[name]
    return await tool.run(tool.arguments.model_validate_json(json.dumps(arguments)), ctx)
