"""Ollama's protocol in front of the embedded model, so that the real client meets a real model.

Driven by the embedded model, not by Ollama: Ollama's templates, scheduler and tool parsers are not in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson

from agent.llm.backends.embedded import Embedded
from agent.messages import ChatMessage, ToolCall
from tests.support.ollama_server import ChatLines, last_line, line

JsonObject = dict[str, Any]


def chat_with(backend: Embedded) -> ChatLines:
    """For `OllamaServer(chat=...)`."""

    async def chat(body: JsonObject) -> AsyncIterator[JsonObject]:
        options, model = body["options"], body["model"]
        stream = backend.stream(
            [_message(message) for message in body["messages"]],
            schema=body.get("format"),
            max_tokens=options["num_predict"],
            seed=options.get("seed"),
        )
        async with aclosing(stream) as deltas:
            async for delta in deltas:
                if delta.text:
                    yield orjson.loads(line(model, content=delta.text))
                if delta.usage is not None:
                    reason = "length" if delta.finish == "length" else "stop"
                    yield orjson.loads(last_line(model, reason, delta.usage.input_tokens, delta.usage.output_tokens))

    return chat


def _message(wire: JsonObject) -> ChatMessage:
    calls = [
        ToolCall(id=call["id"], tool=call["function"]["name"], arguments=call["function"]["arguments"])
        for call in wire.get("tool_calls", ())
    ]
    return ChatMessage(
        role=wire["role"],
        content=wire["content"],
        calls=tuple(calls),
        call_id=wire.get("tool_call_id"),
        tool=wire.get("tool_name"),
    )
