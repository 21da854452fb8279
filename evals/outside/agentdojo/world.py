"""What one pair's run acts on. A run's work is done in the context in which it was submitted, so it finds its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evals.outside.agentdojo.theirs import ORDER, Call, Suite

if TYPE_CHECKING:
    from evals.outside.agentdojo.gullible import Mind


@dataclass
class World:
    """The environment of a pair, the model's mind, and what was done.

    Attributes:
        trace: Calls that ran, in order.
        saw_order: A result has held the injection.
    """

    suite: Suite
    environment: Any
    mind: Mind
    trace: list[Call] = field(default_factory=list[Call])
    saw_order: bool = False

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """Run a function of the suite on the environment."""
        self.trace.append(Call(tool, dict(arguments)))
        result = self.suite.run(self.environment, tool, arguments)
        self.saw_order = self.saw_order or ORDER in json.dumps(_plain(result), ensure_ascii=False, default=str)
        return result


WORLD: ContextVar[World] = ContextVar("world")


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]  AgentDojo's are Any
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  as above
    return value
