"""Answers as OpenAI writes them: one object, or chunks of strict server-sent events (nothing but `data:` lines).

Source: https://platform.openai.com/docs/api-reference/chat/object and /chat-streaming
"""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import orjson

from api.openai.errors import error_body
from api.openai.exchange import End, Usage

DONE = b"data: [DONE]\n\n"

# Status of an answer that ends with an error which is not the request's: by the run's code, else 502, the model's.
_STATUSES = {"internal": 500, "interrupted": 503}


class Wire:
    """One answer. Chunks share its id and time."""

    def __init__(self, model: str, *, with_usage: bool = False) -> None:
        self.id = f"chatcmpl-{uuid4().hex}"
        self._model = model
        self._created = int(time.time())
        self._with_usage = with_usage
        self._head = orjson.dumps(self._object("chat.completion.chunk"))[:-1]
        self._tail = b',"usage":null}\n\n' if with_usage else b"}\n\n"

    def whole(self, text: str, end: End) -> dict[str, Any]:
        """The answer in one piece."""
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": None},
            "logprobs": None,
            "finish_reason": end.finish_reason or "stop",
        }
        return {**self._object("chat.completion"), "choices": [choice], "usage": _usage(end.usage)}

    def first(self) -> bytes:
        """The chunk that says who speaks."""
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        return self._chunk({"content": text})

    def beat(self) -> bytes:
        """A chunk that says nothing: comments are no part of what OpenAI sends, and not every client skips them."""
        return self._chunk({})

    def last(self, end: End) -> bytes:
        """The end of the answer, with the usage where it was asked for, or an error."""
        if end.finish_reason is None and end.error is not None:
            code, message = end.error
            return b"data: " + orjson.dumps(error_body(error_status(code), code, message)) + b"\n\n" + DONE
        last = self._chunk({}, finish=end.finish_reason)
        if self._with_usage:
            usage = orjson.dumps({"choices": [], "usage": _usage(end.usage)})[1:]
            last += b"data: " + self._head + b"," + usage + b"\n\n"
        return last + DONE

    def _chunk(self, delta: dict[str, Any], *, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + self._head + b',"choices":' + orjson.dumps([choice]) + self._tail

    def _object(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "system_fingerprint": None,
        }


def error_status(code: str) -> int:
    """The HTTP status of a run that ended with an error of the server or its model."""
    return _STATUSES.get(code, 502)


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
