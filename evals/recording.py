"""Model answers kept and given again: for tests without a model, and for a run that was killed in the middle.

An answer is kept under all that it depends on: the case, the epoch, the conversation, the tools or the schema, the
model's digest and how it draws; and under how often the very same was asked before in this try. A repeat is another
epoch, so it is never a replay. Identifiers that are drawn at random (`doc_k3f9xw2m`) are told by the order in which
they come up, so that a recording fits the next try of the same case, whose documents and drafts are called otherwise.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.llm.base import Backend, Delta, OnProgress, ToolSpec, Usage
from agent.llm.errors import ModelError
from agent.messages import ChatMessage, ToolCall

_RANDOM = re.compile(r"(?<![\w-])(doc|inv|pay|po)_[a-km-np-z2-9]{8}(?:[a-km-np-z2-9]{4})?(?![\w-])")  # tools/ids.py
_STAND_IN = re.compile(r"(?<![\w-])(doc|inv|pay|po)_#\d+#")
_LEVEL = 9  # of gzip


class NotRecorded(ModelError):
    """The tape has no answer to this; nothing is made up. Record again: see docs/evals.md."""

    code: ClassVar[str] = "not_recorded"


class InvalidTape(Exception):
    """A recording cannot be read; the message says where."""


class Answer(BaseModel):
    """A whole answer of a model. `text` and `calls` name random identifiers by stand-ins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "length", "tool_calls"] | None = None
    usage: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] | None = None


@dataclass
class Tape:
    """Answers by key; `path` is where further ones are written at once, line by line."""

    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    path: Path | None = None

    @classmethod
    def read(cls, path: Path) -> Tape:
        """A recording, `.jsonl` or `.jsonl.gz`. A last line that was cut off is left out, for its writer was killed.

        Raises:
            InvalidTape: It is not there, or something else than answers.
        """
        try:
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except (OSError, EOFError) as error:
            raise InvalidTape(f"The recording {path.name} cannot be read: {error}") from error
        *lines, rest = data.decode().split("\n")
        del rest
        answers: dict[str, Answer] = {}
        for number, line in enumerate(lines, 1):
            try:
                answer = Answer.model_validate_json(line)
            except ValidationError as error:
                raise InvalidTape(f"{path.name}:{number} is no recorded answer: {error.errors()[0]['msg']}") from error
            answers[answer.key] = answer
        return cls(answers)

    @classmethod
    def journal(cls, path: Path) -> Tape:
        """What was answered before this process was killed, to be gone on with."""
        tape = cls.read(path) if path.exists() else cls()
        path.parent.mkdir(parents=True, exist_ok=True)
        if tape.answers:  # without a line that was cut off
            path.write_text("".join(f"{answer.model_dump_json()}\n" for answer in tape.answers.values()), "utf-8")
        tape.path = path
        return tape

    def add(self, answer: Answer) -> None:
        self.answers[answer.key] = answer
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(answer.model_dump_json() + "\n")

    def write(self, path: Path) -> None:
        """The whole, compressed; the same answers are the same bytes."""
        rows = "".join(f"{self.answers[key].model_dump_json()}\n" for key in sorted(self.answers))
        path.write_bytes(gzip.compress(rows.encode(), _LEVEL, mtime=0))


class Recorder:
    """A backend whose answers are kept on a tape, and taken from it where they are there.

    Args:
        backend: Who is asked; None only replays.
        scope: The case.
        sampling: How the model draws, like its temperature.
        like: What a replay claims to be: name, digest, native tools and context of the recorded model.
    """

    def __init__(
        self,
        backend: Backend | None,
        tape: Tape,
        *,
        scope: str,
        epoch: int,
        sampling: Mapping[str, Any],
        like: Model | None = None,
    ) -> None:
        if backend is None and like is None:
            raise ValueError("a replay needs to know which model was recorded")
        self._backend, self._tape = backend, tape
        self._fixed = {"case": scope, "epoch": epoch, "sampling": dict(sampling)}
        self._asked: Counter[str] = Counter()
        self.asked_live = 0
        model = like or Model.of(backend)  # pyright: ignore[reportArgumentType] - one of both is there
        self.name, self.digest = model.name, model.digest
        self.native_tools, self.context_tokens = model.native_tools, model.context_tokens

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        if self._backend is not None:
            await self._backend.start(on_progress=on_progress, warm_prefix=warm_prefix)

    async def stop(self) -> None:
        if self._backend is not None:
            await self._backend.stop()

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> AsyncGenerator[Delta]:
        names = _Names()
        asked = names.hide(
            json.dumps(
                {
                    **self._fixed,
                    "model": self.digest,
                    "messages": [message.model_dump(exclude_defaults=True) for message in messages],
                    "tools": [[tool.name, tool.description, tool.parameters] for tool in tools],
                    "schema": schema,
                    "max_tokens": max_tokens,
                    "seed": seed,
                },
                ensure_ascii=False,
            )
        )
        key = hashlib.sha256(asked.encode()).hexdigest()
        self._asked[key] += 1
        key = f"{key[:32]}.{self._asked[key]}"
        if (known := self._tape.answers.get(key)) is not None:
            for delta in _deltas(known, names):
                yield delta
            return
        if self._backend is None:
            last = messages[-1].content[-120:] if messages else ""
            raise NotRecorded(
                f"Nothing is recorded for case {self._fixed['case']!r}, epoch {self._fixed['epoch']}, after {last!r}. "
                "The prompt, a tool, the model or its sampling has changed since: record it again."
            )
        self.asked_live += 1
        text: list[str] = []
        calls: list[ToolCall] = []
        end: Delta | None = None
        live = self._backend.stream(messages, tools=tools, schema=schema, max_tokens=max_tokens, seed=seed)
        async with aclosing(live) as stream:
            async for delta in stream:
                text.append(delta.text)
                calls += delta.calls
                if delta.finish is not None or delta.usage is not None:
                    end = delta
                    self._tape.add(_answer(key, "".join(text), calls, end, names))
                yield delta
        if end is None:
            self._tape.add(_answer(key, "".join(text), calls, Delta(), names))


@dataclass(frozen=True, slots=True)
class Model:
    """What the agent must know of a recorded model."""

    name: str
    digest: str
    native_tools: bool
    context_tokens: int

    @classmethod
    def of(cls, backend: Backend) -> Model:
        return cls(backend.name, backend.digest, backend.native_tools, backend.context_tokens)


class _Names:
    """Random identifiers of one conversation, by the order in which they come up."""

    def __init__(self) -> None:
        self._stand_ins: dict[str, str] = {}

    def hide(self, text: str) -> str:
        return _RANDOM.sub(lambda found: self._stand_ins.setdefault(found[0], self._next(found[1])), text)

    def show(self, text: str) -> str:
        names = {stand_in: name for name, stand_in in self._stand_ins.items()}
        return _STAND_IN.sub(lambda found: names.get(found[0], found[0]), text)

    def _next(self, prefix: str) -> str:
        return f"{prefix}_#{len(self._stand_ins) + 1}#"


def _answer(key: str, text: str, calls: Sequence[ToolCall], end: Delta, names: _Names) -> Answer:
    hidden = [
        call.model_copy(update={"arguments": json.loads(names.hide(json.dumps(call.arguments)))}) for call in calls
    ]
    usage = (end.usage.input_tokens, end.usage.output_tokens) if end.usage else None
    return Answer(key=key, text=names.hide(text), calls=tuple(hidden), finish=end.finish, usage=usage)


def _deltas(answer: Answer, names: _Names) -> Iterator[Delta]:
    if answer.text:
        yield Delta(text=names.show(answer.text))
    calls = tuple(
        call.model_copy(update={"arguments": json.loads(names.show(json.dumps(call.arguments)))})
        for call in answer.calls
    )
    usage = Usage(*answer.usage) if answer.usage else None
    yield Delta(calls=calls, finish=answer.finish, usage=usage)
