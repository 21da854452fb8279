"""What one request may ask for beside its words. It narrows what a run may do, and never widens it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.registry import AnyTool

MAX_INSTRUCTIONS = 4_000  # characters of an application's own instructions that a model is shown

Tools = Literal["all", "read", "none"]


class RunOptions(BaseModel):
    """Kept with the run, so whoever goes on with it heeds them.

    Attributes:
        instructions: Of the application that the person uses: how to answer. Shown to the model below our own rules,
            and no source of values: what only they name, no tool is given.
        answer_schema: The answer is one JSON value that this schema accepts; it leaves whole, once it is validated.
        max_answer_tokens: Of one step; never more than the setting.
        tools: Which ones there are at all: every one that the role has, those that only read, or none.
        seeded: The thread begins with what was said elsewhere: see `agent/conversation.py`.
    """

    model_config = ConfigDict(frozen=True)

    instructions: Annotated[str, Field(max_length=MAX_INSTRUCTIONS)] = ""
    answer_schema: dict[str, Any] | bool | None = None
    max_answer_tokens: Annotated[int | None, Field(ge=1)] = None
    seed: int | None = None
    tools: Tools = "all"
    seeded: bool = False

    def allows(self, tool: AnyTool) -> bool:
        """Whether this run may be offered the tool, as far as the request says."""
        return self.tools == "all" or (self.tools == "read" and tool.effect == "read")

    def asked(self) -> dict[str, Any]:
        """What differs from an ordinary request, for its digest."""
        return self.model_dump(mode="json", exclude_defaults=True)


NO_OPTIONS = RunOptions()
