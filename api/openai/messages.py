"""From a client's messages to a request, what was said before it, and what the application asks for.

Who says something decides what it is worth: the user's words are the person's; what an application puts beside them
(system and developer messages) are its wishes; passages that Open WebUI puts around the words are a document.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.options import MAX_INSTRUCTIONS
from api.openai.request import ChatMessage, FilePart, unsupported

Said = tuple[Literal["user", "assistant"], str]

# Open WebUI's template for retrieved passages, DEFAULT_RAG_TEMPLATE in its config.py; the person's words follow it.
_RAG = re.compile(
    r"\A\s*### Task:\s+Respond to the user query using the provided context.*?<context>(?P<context>.*)</context>"
    r"(?P<words>.*)\Z",
    re.DOTALL | re.IGNORECASE,
)
_QUERY = re.compile(r"</?user_query>", re.IGNORECASE)
_DATA_URL = re.compile(r"\Adata:[^,]*;base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with the request."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a client sent.

    Attributes:
        words: The person's present request.
        before: What was said before, oldest first, roles taking turns.
        instructions: What the application asks for, cut at what a model is shown.
        files, document_ids: What is attached to the request.
    """

    words: str
    before: Sequence[Said] = ()
    instructions: str = ""
    files: Sequence[File] = ()
    document_ids: Sequence[str] = field(default_factory=tuple[str, ...])


def read(messages: Sequence[ChatMessage]) -> Conversation:
    """The conversation.

    Raises:
        Problem: 400: it does not end with a user's words, or holds what is not read.
    """
    instructions: list[str] = []
    said: list[tuple[Literal["user", "assistant"], list[str]]] = []
    last = -1
    for index, message in enumerate(messages):
        text = _text(message)
        if message.role in ("system", "developer"):
            instructions.append(text)
        elif message.role in ("tool", "function") or (message.role == "assistant" and not text.strip()):
            continue  # of the client's own tools, which are not called here
        else:
            role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
            last = index
            if said and said[-1][0] == role:
                said[-1][1].append(text)
            else:
                said.append((role, [text]))
    if not said or said[-1][0] != "user":
        raise unsupported("messages", "The conversation must end with a message of the user.", code="invalid_messages")
    turns: list[Said] = [(role, "\n\n".join(texts).strip()) for role, texts in said]
    words, context = split_context(turns[-1][1])
    files, document_ids = _attached(messages[last], last)
    if context:
        files = [*files, File("context.txt", context.encode())]
    if not words and not (files or document_ids):
        raise unsupported("messages", "The user's message says nothing.", code="invalid_messages")
    return Conversation(
        words or "Please look at the attached document.",
        [(role, split_context(text)[0] if role == "user" else text) for role, text in turns[:-1]],
        "\n\n".join(filter(None, instructions))[:MAX_INSTRUCTIONS],
        files,
        document_ids,
    )


def split_context(text: str) -> tuple[str, str]:
    """The person's words, and the passages that Open WebUI put before them."""
    found = _RAG.match(text)
    if found is None:
        return text, ""
    return _QUERY.sub("", found["words"]).strip(), found["context"].strip()


def _text(message: ChatMessage) -> str:
    if not isinstance(message.content, list):
        return message.content or ""
    return "\n\n".join(part.text for part in message.content if part.type == "text" and part.text)


def _attached(message: ChatMessage, index: int) -> tuple[list[File], list[str]]:
    files: list[File] = []
    ids: list[str] = []
    for position, part in enumerate(message.content if isinstance(message.content, list) else ()):
        param = f"messages.{index}.content.{position}"
        if part.type == "file" and part.file is not None:
            if part.file.file_id:
                ids.append(part.file.file_id)
            else:
                files.append(_file(part.file, param))
        elif part.type not in ("text", "refusal"):
            detail = f"Parts of type {part.type!r} are not read: send text, or a document as a 'file' with 'file_data'."
            raise unsupported(param, detail, code="unsupported_content")
    return files, ids


def _file(file: FilePart, param: str) -> File:
    data = _DATA_URL.sub("", file.file_data or "")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise unsupported(f"{param}.file.file_data", "It is not base64.", code="invalid_file") from None
    return File(file.filename or "document", content)
