"""A conversation as a model reads it: untrusted text fenced, calls in the form in which they are decoded."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from pydantic import BaseModel

from agent.grounding.grounding import text_origin
from agent.grounding.walk import leaves, schema_of
from agent.messages import ChatMessage, ToolCall
from tools.origin import Origin, OriginKind
from tools.registry import AnyTool, shown

MAX_RESULT = 6_000  # characters of one result that a model is shown
# What could end a fence, or the message itself: marks of chat templates, which servers read as more than text.
_MARKS = re.compile(
    r"[<\uff1c\ufe64\u2039\u3008](?=\s*[/\uff0f]?\s*(?:untrusted|application)"
    r"|[|\uff5c]|/?(?:s|tool_calls?|tool_response|(?:start|end)_of_turn|think)>)"
    r"|\[(?=/?(?:INST|SYS|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)
# Characters that nobody sees; between the letters of a mark they would hide it. Joiners are part of ordinary writing.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\u00ad\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_FENCED = re.compile(r'<untrusted origin="(\w+)')
_UNFIT = re.compile(r'[<>"\s]')  # in the mark of an origin
_ODD = re.compile(r"[^\w. -]")  # in a file name


def result_text(tool: AnyTool, result: BaseModel) -> str:
    """A result as the content of a `tool` message: one line of JSON without nulls, fenced when it is untrusted."""
    result = shown(result)
    data = result.model_dump(mode="json")
    text = json.dumps(_without_nulls(data), ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_RESULT:
        text = f"{text[:MAX_RESULT]}... ({len(text) - MAX_RESULT} characters more)"
    origin = text_origin(tool, list(leaves(data, schema_of(type(result), "serialization"))))
    return fenced(text, origin) if origin.untrusted else text


def fenced(text: str, origin: Origin) -> str:
    """Text that others wrote, marked with its origin; it can neither close its own fence nor end the message."""
    return f'<untrusted origin="{_UNFIT.sub("_", str(origin))}">{harmless(text)}</untrusted>'


def harmless(text: str) -> str:
    """`text` without invisible characters, its marks of fences and chat templates made plain text."""
    return _MARKS.sub(lambda mark: "&#91;" if mark[0] == "[" else "&lt;", _UNSEEN.sub("", text))


def origin_of_text(content: str) -> OriginKind:
    """Where the content of a `tool` message comes from, by its fence; only `fenced` writes one at the start."""
    fence = _FENCED.match(content)
    return Origin.parse(fence[1]).kind if fence is not None else "record"


def with_documents(text: str, documents: Sequence[tuple[str, str]]) -> str:
    """The person's words followed by the documents they attached, as `(id, file name)`."""
    notes = (f"[attached: {document}, {_ODD.sub('_', name)[:80]}]" for document, name in documents)
    return "\n".join([text, *notes])


def render(history: Sequence[ChatMessage], *, native: bool) -> list[ChatMessage]:
    """`history` for a model. With its own tool calling it is left as it is; without, a call reads as the step that
    made it and its result comes from the user's side."""
    made_harmless = [_without_marks(message) for message in history]
    return made_harmless if native else [_plain(message) for message in made_harmless]


def _without_marks(message: ChatMessage) -> ChatMessage:
    """Requests, records and errors hold text of others, too. A fence that `fenced` wrote stays."""
    if message.role not in ("user", "tool") or (message.role == "tool" and _FENCED.match(message.content)):
        return message
    return message.model_copy(update={"content": harmless(message.content)})


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
