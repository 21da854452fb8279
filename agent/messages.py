"""A conversation as every model backend takes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class ToolCall(BaseModel):
    """One call that the model asked for. `id` is unique in the run; `arguments` are not yet validated."""

    model_config = ConfigDict(frozen=True)

    id: str
    tool: str
    arguments: dict[str, Any]


class ChatMessage(BaseModel):
    """One message. An assistant's may hold calls; a tool's answers the call named by `call_id`.

    `origins` maps a value's wire form in `content` to its origin (`"cus_acme" -> "record(customer.id)"`).
    """

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    tool: str | None = None
