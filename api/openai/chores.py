"""Requests that a chat application makes for itself: a title, tags, suggestions. They must do no office work.

Such a request quotes the conversation, so a model might carry out what is quoted. It gets no tools, and its thread is
deleted. The applications mark them by nothing but their words; with others than the built-in ones, send
`"tool_choice": "none"`. A person's request that begins like one is answered without tools, and nothing else happens.

Sources: open-webui `backend/open_webui/config.py` (DEFAULT_*_PROMPT_TEMPLATE), `routers/tasks.py`;
@librechat/agents `src/utils/title.ts`; LibreChat `api/server/services/Endpoints/*/title.js`.
"""

from __future__ import annotations

import re

_OPEN_WEBUI = re.compile(r"\A\s*### Task:\s", re.IGNORECASE)
_CHORE_PARTS = ("<chat_history>", "{{MESSAGES", "<text>")
_LIBRECHAT = re.compile(
    r"\A\s*(?:Provide a concise, 5-word-or-less title for the conversation"
    r"|Analyze this conversation and provide:"
    r"|Please generate a concise title \(max 40 characters\) for a conversation that starts with)",
    re.IGNORECASE,
)


def is_chore(text: str) -> bool:
    """Whether the application asks this for itself."""
    if _LIBRECHAT.match(text):
        return True
    return _OPEN_WEBUI.match(text) is not None and any(part in text for part in _CHORE_PARTS)
