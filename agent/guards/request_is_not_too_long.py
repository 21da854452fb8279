"""A request is a few sentences; long text belongs into a document."""

from __future__ import annotations

from agent.guarding import GuardContext, InputGuard


def check(text: str, context: GuardContext) -> str | None:
    """Refuses what is longer than `max_input_chars` characters."""
    if len(text) <= context.max_input_chars:
        return None
    return (
        f"The request has {len(text)} characters; at most {context.max_input_chars} are read. "
        "Attach long text as a document."
    )


guard = InputGuard("request_is_not_too_long", check)
