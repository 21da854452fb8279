"""OpenAI's chat/completions form: requests out of a conversation, deltas out of streamed chunks.

Shared by `openai` (vLLM, llama.cpp's server) and `embedded` (llama.cpp inside the process), which speak the same.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from agent.llm.base import Delta, ToolSpec, Usage
from agent.llm.errors import MalformedAnswer
from agent.messages import ChatMessage, ToolCall

JsonObject = dict[str, Any]
FINISHES: dict[str, Literal["stop", "length", "tool_calls"]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


def wire_messages(messages: Sequence[ChatMessage]) -> list[JsonObject]:
    """The conversation as the server takes it."""
    return [_wire_message(message) for message in messages]


def _wire_message(message: ChatMessage) -> JsonObject:
    wire: JsonObject = {"role": message.role, "content": message.content}
    if message.calls:
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.tool, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        wire["tool_call_id"] = message.call_id or ""
        if message.tool:
            wire["name"] = message.tool
    return wire


def wire_tools(tools: Sequence[ToolSpec]) -> list[JsonObject]:
    """Tools as OpenAI and Ollama take them."""
    return [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        for t in tools
    ]


def wire_schema(schema: JsonObject) -> JsonObject:
    """`response_format` that limits the answer to JSON which `schema` accepts."""
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def new_call_id() -> str:
    """For models that give their calls none."""
    return f"call_{uuid.uuid4().hex[:16]}"


class ChunkReader:
    """Turns the chunks of one answer into deltas: text at once, tool calls when they are whole.

    A server may send a call's arguments in pieces and several calls interleaved by `index`.
    """

    def __init__(self) -> None:
        self._calls: dict[int, JsonObject] = {}  # index -> id, name, arguments so far
        self._finish: Literal["stop", "length", "tool_calls"] | None = None
        self._usage: Usage | None = None
        self._finished = False

    @property
    def finished(self) -> bool:
        """The server has said why it stopped, so nothing is missing."""
        return self._finished

    def read(self, chunk: Mapping[str, Any]) -> Delta | None:
        """What a chunk brings, or None. `finish` is kept for `end`, because usage comes after it."""
        if usage := chunk.get("usage"):
            self._usage = _usage(usage)
        choices = cast("list[JsonObject]", chunk.get("choices") or [])
        if not choices:
            return None
        choice = choices[0]
        if (finish := choice.get("finish_reason")) is not None:
            self._finished = True
            self._finish = FINISHES.get(finish, "stop")
        delta = cast("JsonObject", choice.get("delta") or {})
        for part in cast("list[JsonObject]", delta.get("tool_calls") or []):
            self._add(part)
        text = delta.get("content")
        return Delta(text=text) if text else None

    def end(self) -> Delta:
        """The last delta. Raises MalformedAnswer when the arguments of a call are not a JSON object."""
        calls = tuple(self._whole(call) for _, call in sorted(self._calls.items()))
        finish = "tool_calls" if calls and self._finish == "stop" else self._finish
        return Delta(calls=calls, finish=finish or "stop", usage=self._usage)

    def _add(self, part: JsonObject) -> None:
        call = self._calls.setdefault(part.get("index") or 0, {"id": "", "name": "", "arguments": ""})
        function = cast("JsonObject", part.get("function") or {})
        call["id"] = part.get("id") or call["id"]
        call["name"] += function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""

    def _whole(self, call: JsonObject) -> ToolCall:
        name, text = call["name"], call["arguments"] or "{}"
        try:
            arguments = json.loads(text)
        except (ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            raise MalformedAnswer(
                f"The model called {name!r} with arguments that are not a JSON object: {text[:200]!r}."
            )
        return ToolCall(id=call["id"] or new_call_id(), tool=name, arguments=cast("JsonObject", arguments))


def _usage(usage: JsonObject) -> Usage:
    details = cast("JsonObject", usage.get("prompt_tokens_details") or {})
    return Usage(
        input_tokens=usage.get("prompt_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
    )
