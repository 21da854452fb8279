"""How long a conversation is, roughly, without asking the model."""

from __future__ import annotations

from collections.abc import Iterable

from agent.messages import ChatMessage

CHARS_PER_TOKEN = 3  # of English, German and JSON; low, so that estimates are high
PER_MESSAGE = 8  # tokens of a chat template around one message


def estimate(messages: Iterable[ChatMessage]) -> int:
    """Tokens of `messages`, rather too many than too few."""
    return sum(PER_MESSAGE + _characters(message) // CHARS_PER_TOKEN for message in messages)


def _characters(message: ChatMessage) -> int:
    return len(message.content) + sum(len(call.tool) + len(str(call.arguments)) + 16 for call in message.calls)
