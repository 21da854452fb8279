"""An empty request is not answered with a guess."""

from __future__ import annotations

from agent.guarding import GuardContext, InputGuard


def check(text: str, context: GuardContext) -> str | None:
    """Refuses a request without a letter or a digit."""
    del context
    return None if any(character.isalnum() for character in text) else "The request says nothing."


guard = InputGuard("request_says_something", check)
