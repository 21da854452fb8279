"""A stand-in for a model that can do the main job: a fixed order of calls, references copied from the conversation.

It is no model: what a real one gets right is measured by `evals/`. It speaks Ollama's protocol through `OllamaServer`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import orjson

from tests.support.ollama_server import JsonObject, OllamaServer, last_line, line

WORDS = "The order was checked, the invoice is issued and the payment is taken.".split(" ")


class ClerkModel:
    """Checks the order of the one attached document, drafts, issues, takes the payment; stops at blocking findings.

    Args:
        token_seconds: Between two words of the answer.
        slow_seconds: The same, for a person who says "slowly".
    """

    def __init__(self, *, token_seconds: float = 0.0, slow_seconds: float = 0.2) -> None:
        self.token_seconds = token_seconds
        self.slow_seconds = slow_seconds

    async def __call__(self, body: JsonObject) -> AsyncIterator[JsonObject]:
        model, messages = body["model"], body["messages"]
        call = next_call(messages)
        if call is not None:
            name, arguments = call
            function = {"function": {"index": 0, "name": name, "arguments": arguments}}
            yield orjson.loads(line(model, tool_calls=[function]))
        else:
            said = next(message["content"] for message in reversed(messages) if message["role"] == "user")
            pause = self.slow_seconds if "slowly" in said else self.token_seconds
            for number, word in enumerate(WORDS):
                await asyncio.sleep(pause)
                yield orjson.loads(line(model, content=f" {word}" if number else word))
        yield orjson.loads(last_line(model, "stop", 100, len(WORDS)))


def next_call(messages: list[JsonObject]) -> tuple[str, dict[str, Any]] | None:
    """What to do next, by what was done since the person last spoke; None when it is time to answer."""
    start = max(index for index, message in enumerate(messages) if message["role"] == "user")
    said, results = messages[start]["content"], [m["content"] for m in messages[start:] if m["role"] == "tool"]
    document = re.search(r"doc_[a-z0-9]+", said)
    if document is None or (results and '"blocking":true' in results[-1].replace(" ", "")):
        return None
    match len(results):
        case 0:
            return "find_customer", {"query": "ACME"}
        case 1:
            return "check_purchase_order", {"document": document.group(), "customer": _seen("cus", results)}
        case 2:
            return "draft_invoice", {"customer": _seen("cus", results), "order": document.group()}
        case 3:
            return "issue_invoice", {"invoice": _seen("inv", results[3 - 1 :])}
        case 4:
            return "take_payment", {"invoice": _seen("inv", results[3 - 1 :])}
        case _:
            return None


def _seen(prefix: str, results: list[str]) -> str:
    """The first identifier of a kind."""
    return next(found.group() for text in results if (found := re.search(rf"{prefix}_[a-z0-9]+", text)))


def clerk_server(*, token_seconds: float = 0.0) -> OllamaServer:
    """A server whose model does the main job."""
    return OllamaServer(chat=ClerkModel(token_seconds=token_seconds))
