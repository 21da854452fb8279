"""A request speaks of what the company wants this role to ask about. Off until topics are configured.

Words decide (`DESKCLERK_TOPICS`). A topic with `roles` is for these only. With `DESKCLERK_OFF_TOPIC=refuse` a request
that begins a conversation must speak of some topic; what follows ("yes, do that") need not.
"""

from __future__ import annotations

from agent.guarding import GuardContext, InputGuard


def check(text: str, context: GuardContext) -> str | None:
    """Refuses a topic that is not for the asker's roles and, if so configured, what is no topic at all."""
    spoken_of = [name for name, topic in context.topics.items() if topic.is_spoken_of(text)]
    for name in spoken_of:
        roles = context.topics[name].roles
        if roles is not None and not roles & context.roles:
            return f"This role does not ask about {name} here."
    if not spoken_of and context.topics and context.off_topic == "refuse" and not context.follows:
        return f"This is not what the assistant is for. Ask about: {', '.join(sorted(context.topics))}."
    return None


guard = InputGuard("topic_is_for_this_role", check)
