"""What is the same for every tool of others: its result, its system, what becomes of a call that nobody can repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from agent.outside.arguments import arguments_model
from agent.outside.config import OutsideToolsInvalid, Wrapped
from tools.context import ToolContext
from tools.errors import OutcomeUnknown
from tools.registry import AnyTool, Tool
from tools.system import NEVER

MAX_SHOWN = 4_000  # characters of a result
MAX_DESCRIPTION = 1_000  # characters

Call = Callable[[dict[str, Any]], Awaitable[str]]
"""Makes a call with arguments as JSON values and gives its text.

Raises:
    ToolError: `OutcomeUnknown` where an effect may have taken place.
"""


class OutsideResult(BaseModel):
    """What a tool of others said. Strangers wrote it. `more_characters` were left out."""

    text: str
    more_characters: int = 0


@dataclass(frozen=True, slots=True)
class OutsideSystem:
    """Where such a tool's effects take place. It knows no idempotency keys, so nothing is ever sent again."""

    name: str
    local: bool = False
    repeatable_for: timedelta = NEVER


def wrap(
    name: str,
    *,
    description: str,
    schema: dict[str, Any],
    config: Wrapped,
    system: OutsideSystem,
    call: Call,
) -> AnyTool:
    """A tool of ours around a tool of others. Its results are of origin `web(<name>)`: untrusted, whatever they say.

    Raises:
        OutsideToolsInvalid: Its arguments cannot be looked at, or it does not say what it does.
    """
    if not description.strip():
        raise OutsideToolsInvalid(f"{name}: has no description to tell the model what it does.")
    if config.egress is not None and config.arguments.get(config.egress) != "url":
        raise OutsideToolsInvalid(f"{name}: `egress` names an argument that is marked `url`.")

    async def run(arguments: BaseModel, context: ToolContext) -> OutsideResult:
        if context.attempt != "first":
            raise OutcomeUnknown(f"{name} was asked before, and cannot be asked what became of it.")
        said = await call(arguments.model_dump(mode="json", exclude_none=True))
        return OutsideResult(text=said[:MAX_SHOWN], more_characters=max(0, len(said) - MAX_SHOWN))

    return Tool(
        name=name,
        description=" ".join(description.split())[:MAX_DESCRIPTION],
        effect=config.effect,
        timeout=config.timeout,
        results="web",
        needs=(),
        through=system.name,
        egress=config.egress,
        arguments=arguments_model(name, schema, config.arguments),
        result=OutsideResult,
        run=run,
    )
