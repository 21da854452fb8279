"""A conversation as a model reads it: untrusted text fenced, calls in the form in which they are decoded."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from pydantic import BaseModel

from agent.grounding.grounding import result_origin
from agent.grounding.walk import leaves, schema_of
from agent.messages import ChatMessage, ToolCall
from tools.origin import Origin
from tools.registry import AnyTool, shown

MAX_RESULT = 6_000  # characters of one result that a model is shown
_FENCE = re.compile(r"<(?=/?\s*untrusted)", re.IGNORECASE)
_ODD = re.compile(r"[^\w. -]")  # in a file name


def result_text(tool: AnyTool, result: BaseModel) -> str:
    """A result as the content of a `tool` message: one line of JSON without nulls, fenced when it is untrusted."""
    result = shown(result)
    data = result.model_dump(mode="json")
    text = json.dumps(_without_nulls(data), ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_RESULT:
        text = f"{text[:MAX_RESULT]}... ({len(text) - MAX_RESULT} characters more)"
    origin = result_origin(tool, list(leaves(data, schema_of(type(result), "serialization"))))
    return fenced(text, origin) if origin.untrusted else text


def fenced(text: str, origin: Origin) -> str:
    """Text that others wrote, marked with its origin; it cannot close its own fence."""
    return f'<untrusted origin="{origin}">{_FENCE.sub("&lt;", text)}</untrusted>'


def with_documents(text: str, documents: Sequence[tuple[str, str]]) -> str:
    """The person's words followed by the documents they attached, as `(id, file name)`."""
    notes = (f"[attached: {document}, {_ODD.sub('_', name)[:80]}]" for document, name in documents)
    return "\n".join([text, *notes])


def render(history: Sequence[ChatMessage], *, native: bool) -> list[ChatMessage]:
    """`history` for a model. With its own tool calling it is left as it is; without, a call reads as the step that
    made it and its result comes from the user's side."""
    return list(history) if native else [_plain(message) for message in history]


def _plain(message: ChatMessage) -> ChatMessage:
    match message.role:
        case "assistant":
            return ChatMessage(role="assistant", content=step_text(message.calls, message.content))
        case "tool":
            return ChatMessage(role="user", content=f"Result: {message.content}")
        case _:
            return message


def step_text(calls: Sequence[ToolCall], answer: str) -> str:
    """A step as the decoder writes it, so that the prompt cache holds over it."""
    if not calls:
        return json.dumps({"answer": answer}, ensure_ascii=False)
    return json.dumps({call.tool: call.arguments for call in calls}, ensure_ascii=False)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        items = ((key, _without_nulls(inner)) for key, inner in cast("dict[str, Any]", value).items())
        return {key: inner for key, inner in items if inner not in (None, "", [], {})}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in cast("list[Any]", value)]
    return value
