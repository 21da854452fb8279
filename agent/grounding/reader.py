"""Reads a step while it is generated: the answer's text leaves as it arrives, calls are whole at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from agent.grounding.step import Step
from agent.llm.errors import MalformedAnswer
from agent.messages import ToolCall

_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
MAX_STEP = 100_000  # characters

Json = dict[str, Any]


class StepReader:
    """One step of one model answer.

    Args:
        new_id: Makes the `ToolCall.id` of each call in turn.
        structured: The answer is a JSON value; nothing of it is readable before it is whole.
    """

    def __init__(self, *, new_id: Callable[[], str], structured: bool = False) -> None:
        self._new_id = new_id
        self._structured = structured
        self._text = ""
        self._position = -1  # in `_text`, of what is not read yet; -1 before the answer's text has begun
        self._closed = False

    def feed(self, text: str) -> str:
        """Take generated text; returns what of the answer became readable by it.

        Raises:
            MalformedAnswer: It is longer than any step.
        """
        self._text += text
        if len(self._text) > MAX_STEP:
            raise MalformedAnswer(f"The model's answer is longer than {MAX_STEP} characters.")
        if self._structured:
            return ""
        if self._position < 0:
            self._position = _answer_begins(self._text)
        return self._read() if self._position >= 0 and not self._closed else ""

    def finish(self) -> Step:
        """The whole step.

        Raises:
            MalformedAnswer: The text is not one step.
        """
        try:
            data: Any = json.loads(self._text)
        except (ValueError, RecursionError) as error:  # RecursionError: nested deeper than anybody means
            raise MalformedAnswer(f"The model's answer is not JSON ({error}): {self._text[:200]!r}") from None
        match data:
            case {"answer": value} if self._structured and len(cast("Json", data)) == 1:
                return Step(answer=_whole(json.dumps(value, ensure_ascii=False)))
            case {"answer": str(answer)} if len(cast("Json", data)) == 1 and answer.strip():
                return Step(answer=_whole(answer))
            case {**calls} if calls and all(isinstance(arguments, dict) for arguments in calls.values()):
                return Step(calls=tuple(self._call(str(tool), made) for tool, made in calls.items()))
            case _:
                raise MalformedAnswer(f"The model's answer is neither a tool call nor an answer: {self._text[:200]!r}")

    def _call(self, tool: str, arguments: Json) -> ToolCall:
        return ToolCall(id=self._new_id(), tool=tool, arguments=arguments)

    def _read(self) -> str:
        """Decode the answer's string from `_position` on, as far as it is certain."""
        out: list[str] = []
        while self._position < len(self._text):
            character = self._text[self._position]
            if character == '"':
                self._closed = True
                break
            if character != "\\":
                out.append(character)
                self._position += 1
                continue
            decoded, length = _escape(self._text[self._position : self._position + 12])
            if length == 0:
                break
            out.append(decoded)
            self._position += length
        return "".join(out)


def _answer_begins(text: str) -> int:
    """Index of the first character of the answer's string; -1 when it has not begun or this is a call."""
    rest = text
    for token in ("{", '"answer"', ":", '"'):
        rest = rest.lstrip()
        if not rest.startswith(token):
            return -1
        rest = rest[len(token) :]
    return len(text) - len(rest)


def _escape(text: str) -> tuple[str, int]:
    """What the escape at the start of `text` stands for, and its length; 0 while it is not all there."""
    if len(text) < 2:
        return "", 0
    if text[1] != "u":
        return _ESCAPES.get(text[1], text[1]), 2
    return _unicode_escape(text) if len(text) >= 6 else ("", 0)


def _unicode_escape(text: str) -> tuple[str, int]:
    """As `_escape`, of a text of six characters and more: a half of a surrogate pair waits for the other."""
    high = _unit(text[2:6])
    if not 0xD800 <= high < 0xE000:
        return chr(high), 6
    if high < 0xDC00 and len(text) < 12 and "\\u"[: len(text) - 6] == text[6:8]:
        return "", 0
    low = _unit(text[8:12]) if high < 0xDC00 and text[6:8] == "\\u" else 0
    if not 0xDC00 <= low < 0xE000:
        return "\ufffd", 6
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12


def _whole(text: str) -> str:
    """`text` with each half of a surrogate pair that stands alone replaced: it could not be sent."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unit(digits: str) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        raise MalformedAnswer(f"The model's answer holds a broken escape: \\u{digits}") from None
