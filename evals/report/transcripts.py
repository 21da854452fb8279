"""What a sample's transcript tells, read from where its run left it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from evals.results import Sample

LARGEST = 4 * 2**20  # bytes
LONGEST = 1500  # characters of one turn
Who = Literal["person", "agent", "call", "result", "event"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said or done."""

    who: Who
    text: str


def turns(sample: Sample, folder: Path) -> list[Turn] | None:
    """None where the transcript is not here: elsewhere, deleted, too large, or nothing that we write."""
    data = _read(sample, folder)
    return None if data is None else list(_turns(data))


def conversation(sample: Sample, folder: Path) -> tuple[list[str], list[str]] | None:
    """What the person and the agent said, turn by turn; None where that is not here."""
    data = _read(sample, folder)
    if data is None:
        return None
    said, answered = ([str(text) for text in _list(data.get(key))] for key in ("say", "said"))
    return (said, answered) if said and answered else None


def _read(sample: Sample, folder: Path) -> dict[str, Any] | None:
    if sample.transcript is None or "://" in sample.transcript:
        return None
    path = (folder / sample.transcript).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file() or path.stat().st_size > LARGEST:
        return None
    try:
        data: object = json.loads(path.read_text("utf-8"))
    except ValueError:
        return None
    return cast("dict[str, Any]", data) if isinstance(data, dict) else None


def _turns(data: dict[str, Any]) -> Iterator[Turn]:
    said = [str(text) for text in _list(data.get("say"))]
    events = _list(data.get("events"))
    if not events:
        yield from (Turn("person", text) for text in said)
        yield from (Turn("agent", str(text)) for text in _list(data.get("said")))
        return
    for event in events:
        if not isinstance(event, dict):
            continue
        one = cast("dict[str, Any]", event)
        kind = str(one.get("type") or one.get("event") or "event")
        held: object = one.get("data", one)
        fields = cast("dict[str, Any]", held) if isinstance(held, dict) else {}
        if kind == "run.started" and said:
            yield Turn("person", said.pop(0))
        elif kind == "tool.call":
            yield Turn("call", _cut(f"{fields.get('tool')}({_json(fields.get('arguments'))})"))
        elif kind == "tool.result":
            answer = fields.get("error") or fields.get("result")
            yield Turn("result", _cut(f"{fields.get('status')}: {_json(answer)}"))
        elif kind == "message":
            yield Turn("agent", _cut(str(fields.get("text", ""))))
        elif kind not in {"run.started", "token"}:
            yield Turn("event", _cut(f"{kind} {_json(fields)}"))


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + f" … ({len(text) - LONGEST} more characters)"
