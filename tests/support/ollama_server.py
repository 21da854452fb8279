"""A server that speaks Ollama's HTTP protocol as its docs/api.md publishes it, with answers from a script.

In a test: `async with OllamaServer([Reply(pieces=["Hi"])]) as server: ... server.url`.
On its own: `python -m tests.support.ollama_server --port 0 --tokens 32 --delay-ms 20` prints its port and serves.
It is no Ollama: real tokens, templates and schedules are not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Self

import orjson

from tests.support.http_server import Answer, Disconnect, EndEarly, HttpServer, Request, json_answer

JsonObject = dict[str, Any]
CREATED = "2026-11-23T12:00:00.123456Z"
VERSION = "0.13.5"
# What the default answer is made of: plain words. One with digits in it might be the beginning of an account number, so
# the output guards would hold it back until the next token shows where it ends.
WORDS = (
    "the order was checked against our records and all of its lines agree with what we sell so nothing stands open"
).split()


@dataclass(slots=True)
class Reply:
    """How one request to /api/chat is answered: pieces, then calls, then what goes wrong, then the end.

    Attributes:
        pieces: One NDJSON line each.
        calls: `(tool, arguments)`, in one line.
        gate: Waited for before each piece but the first, so that a test decides when it leaves.
        status, error: Instead of a stream, this HTTP error.
        breaks: After the pieces: "error" (a line with `error`), "reset", "end" (properly, but not done) or "garbage".
    """

    pieces: Sequence[str] = ()
    calls: Sequence[tuple[str, JsonObject]] = ()
    thinking: Sequence[str] = ()
    delay_seconds: float = 0.0
    gate: asyncio.Semaphore | None = None
    status: int = 200
    error: str = "something went wrong"
    retry_after: str | None = None
    breaks: str | None = None
    done_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Model:
    """What /api/tags and /api/show tell."""

    digest: str = "sha256:" + "0" * 64
    family: str = "qwen3"
    parameter_size: str = "8.2B"
    capabilities: tuple[str, ...] = ("completion", "tools")
    context_length: int = 40960


ChatLines = Callable[[JsonObject], AsyncIterator[JsonObject]]


class OllamaServer:
    """Answers with `replies` in turn, then with `default` again and again.

    Attributes:
        asked: The body of each /api/chat that had messages.
        chat: Where set, makes the lines of every answer instead of the script.
    """

    def __init__(
        self,
        replies: Sequence[Reply] = (),
        *,
        default: Reply | None = None,
        models: dict[str, Model] | None = None,
        version: str = VERSION,
        cut_bytes: int | None = None,
        chat: ChatLines | None = None,
    ) -> None:
        self._replies = list(replies)
        self._default = default or Reply(pieces=["Hello", ", ", "world", "."])
        self._models = {"qwen3:8b": Model()} if models is None else models
        self._version = version
        self._chat_lines = chat
        self.asked: list[JsonObject] = []
        self.http = HttpServer(self._handle, cut_bytes=cut_bytes)

    async def __aenter__(self) -> Self:
        await self.http.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.stop()

    @property
    def url(self) -> str:
        return self.http.url

    async def _handle(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/api/version":
                return json_answer({"version": self._version})
            case "GET", "/api/tags":
                return json_answer({"models": [_tag(name, model) for name, model in self._models.items()]})
            case "POST", "/api/show":
                name = orjson.loads(request.body)["model"]
                return json_answer(_shown(self._models[name])) if name in self._models else _missing(name)
            case "POST", "/api/chat":
                return self._chat(orjson.loads(request.body))
            case _:
                return Answer(status=404, body=b"404 page not found", content_type="text/plain")

    def _chat(self, body: JsonObject) -> Answer:
        name = body["model"]
        if name not in self._models:
            return _missing(name)
        if not body["messages"]:
            line = {"model": name, "created_at": CREATED, "message": {"role": "assistant", "content": ""}}
            return json_answer(line | {"done": True, "done_reason": "load"})
        self.asked.append(body)
        if self._chat_lines is not None:
            return Answer(content_type="application/x-ndjson", stream=_as_bytes(self._chat_lines(body)))
        words = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
        if body.get("truncate") is False and words > body["options"]["num_ctx"]:
            return json_answer({"error": "the input length exceeds the context length"}, 400)
        reply = self._replies.pop(0) if self._replies else self._default
        if reply.status != 200:
            headers = {"Retry_After": reply.retry_after} if reply.retry_after else {}
            return json_answer({"error": reply.error}, reply.status, **headers)
        return Answer(content_type="application/x-ndjson", stream=_lines(name, reply, words))


async def _as_bytes(lines: AsyncIterator[JsonObject]) -> AsyncIterator[bytes]:
    async for line in lines:
        yield orjson.dumps(line) + b"\n"


async def _lines(model: str, reply: Reply, words: int) -> AsyncIterator[bytes]:
    for thought in reply.thinking:
        yield line(model, thinking=thought)
    for number, piece in enumerate(reply.pieces):
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        if reply.gate is not None and number:
            await reply.gate.acquire()
        yield line(model, content=piece)
    if reply.calls:
        calls = [{"function": {"index": i, "name": n, "arguments": a}} for i, (n, a) in enumerate(reply.calls)]
        yield line(model, tool_calls=calls)
    match reply.breaks:
        case "error":
            yield orjson.dumps({"error": reply.error}) + b"\n"
            raise EndEarly
        case "reset":
            raise Disconnect
        case "end":
            raise EndEarly
        case "garbage":
            yield b"<html>504 Gateway Time-out</html>\n"
            raise EndEarly
        case _:
            yield last_line(model, reply.done_reason, words, len(reply.pieces))


def line(model: str, *, content: str = "", **message: object) -> bytes:
    """One NDJSON line of a chat answer."""
    whole = {"role": "assistant", "content": content} | message
    return orjson.dumps({"model": model, "created_at": CREATED, "message": whole, "done": False}) + b"\n"


def last_line(model: str, reason: str, prompt_tokens: int, tokens: int) -> bytes:
    """The line that ends an answer. Durations in nanoseconds."""
    counts = {"prompt_eval_count": prompt_tokens, "prompt_eval_duration": 1, "eval_count": tokens, "eval_duration": 1}
    end = {"done": True, "done_reason": reason, "total_duration": 2, "load_duration": 0} | counts
    message = {"role": "assistant", "content": ""}
    return orjson.dumps({"model": model, "created_at": CREATED, "message": message} | end) + b"\n"


def _missing(name: str) -> Answer:
    return json_answer({"error": f"model '{name}' not found"}, 404)


def _details(model: Model) -> JsonObject:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": "Q4_K_M",
    }


def _tag(name: str, model: Model) -> JsonObject:
    times = {"modified_at": CREATED, "size": 5_225_388_164}
    return {"name": name, "model": name, "digest": model.digest, "details": _details(model)} | times


def _shown(model: Model) -> JsonObject:
    info = {"general.architecture": model.family, f"{model.family}.context_length": model.context_length}
    return {"details": _details(model), "model_info": info, "capabilities": list(model.capabilities), "license": ""}


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.ollama_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--model", default="qwen3:8b")
    parser.add_argument("--tokens", type=int, default=32, help="of the default answer")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="before each token")
    parser.add_argument("--cut-bytes", type=int, help="send streams in pieces of this size")
    parser.add_argument("--script", type=Path, help="a JSON list of answers, with the fields of Reply")
    options = parser.parse_args()
    replies = [Reply(**entry) for entry in json.loads(options.script.read_text())] if options.script else []
    pieces = [f" {word}" for word in islice(cycle(WORDS), options.tokens)]
    default = Reply(pieces=pieces, delay_seconds=options.delay_ms / 1000)
    server = OllamaServer(replies, default=default, models={options.model: Model()}, cut_bytes=options.cut_bytes)
    await server.http.start(options.port)
    print(server.http.port, flush=True)
    await server.http.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
