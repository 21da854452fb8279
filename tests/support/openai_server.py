"""A server that speaks OpenAI's chat/completions, as vLLM and llama.cpp's server do, with answers from a script.

In a test: `async with OpenAIServer([Reply(pieces=["Hi"])]) as server: ... server.url`.
On its own: `python -m tests.support.openai_server --port 0 --tokens 32 --delay-ms 20` prints its port and serves.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from tests.support.http_server import Answer, Disconnect, EndEarly, HttpServer, Request, json_answer

JsonObject = dict[str, Any]


@dataclass(slots=True)
class Reply:
    """How one request is answered.

    Attributes:
        pieces: One event each.
        calls: `(id, tool, arguments as JSON)`; the arguments are sent in pieces of three characters, calls interleaved.
        gate: Waited for before each piece but the first.
        status, error: Instead of a stream, this HTTP error; `body` replaces its JSON.
        breaks: After the pieces: "error" (an event with `error`), "reset", "end" (properly, but unfinished), "garbage".
    """

    pieces: Sequence[str] = ()
    calls: Sequence[tuple[str, str, str]] = ()
    delay_seconds: float = 0.0
    gate: asyncio.Semaphore | None = None
    status: int = 200
    error: str = "something went wrong"
    error_type: str = "server_error"
    body: bytes | None = None
    retry_after: str | None = None
    breaks: str | None = None
    finish: str = "stop"
    line_end: str = "\n"


class OpenAIServer:
    """Answers with `replies` in turn, then with `default`.

    Attributes:
        asked: The body of each request.
        headers: Its headers.
    """

    def __init__(
        self,
        replies: Sequence[Reply] = (),
        *,
        default: Reply | None = None,
        models: Sequence[JsonObject] = ({"id": "Qwen/Qwen3-8B", "owned_by": "vllm", "max_model_len": 32768},),
        api_key: str | None = None,
        cut_bytes: int | None = None,
    ) -> None:
        self._replies = list(replies)
        self._default = default or Reply(pieces=["Hello", ", ", "world", "."])
        self._models = list(models)
        self._key = api_key
        self.asked: list[JsonObject] = []
        self.headers: list[dict[str, str]] = []
        self.http = HttpServer(self._handle, cut_bytes=cut_bytes)

    async def __aenter__(self) -> Self:
        await self.http.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.stop()

    @property
    def url(self) -> str:
        return f"{self.http.url}/v1"

    async def _handle(self, request: Request) -> Answer:
        given = request.headers.get("authorization")
        if self._key is not None and given != f"Bearer {self._key}":
            return _error(
                401, f"Incorrect API key provided: {(given or '').removeprefix('Bearer ')}.", "invalid_api_key"
            )
        match request.method, request.path:
            case "GET", "/v1/models":
                return json_answer({"object": "list", "data": [{"object": "model"} | model for model in self._models]})
            case "POST", "/v1/chat/completions":
                self.headers.append(request.headers)
                return self._chat(orjson.loads(request.body))
            case _:
                return _error(404, "Not Found", "NotFoundError")

    def _chat(self, body: JsonObject) -> Answer:
        self.asked.append(body)
        name = body["model"]
        if self._models and not any(m["id"] == name or m.get("owned_by") == "llamacpp" for m in self._models):
            return _error(404, f"The model `{name}` does not exist.", "NotFoundError")
        reply = self._replies.pop(0) if self._replies else self._default
        if reply.status != 200:
            answer = _error(reply.status, reply.error, reply.error_type)
            answer.body = reply.body if reply.body is not None else answer.body
            answer.headers |= {"Retry-After": reply.retry_after} if reply.retry_after else {}
            return answer
        return Answer(content_type="text/event-stream", stream=_events(name, reply, body))


async def _events(model: str, reply: Reply, body: JsonObject) -> AsyncIterator[bytes]:
    def event(value: JsonObject | str) -> bytes:
        data = value if isinstance(value, str) else orjson.dumps(value).decode()
        return f"data: {data}{reply.line_end}{reply.line_end}".encode()

    def chunk(delta: JsonObject, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": model, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""}) + f": ping{reply.line_end}".encode()
    for number, piece in enumerate(reply.pieces):
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        if reply.gate is not None and number:
            await reply.gate.acquire()
        yield chunk({"content": piece})
    for part in _call_parts(reply.calls):
        yield chunk({"tool_calls": [part]})
    match reply.breaks:
        case "error":
            yield event({"error": {"message": reply.error, "type": reply.error_type, "code": 500}})
            raise EndEarly
        case "reset":
            raise Disconnect
        case "end":
            raise EndEarly
        case "garbage":
            yield event("<html>")
            raise EndEarly
        case _:
            yield chunk({}, "tool_calls" if reply.calls else reply.finish)
    if body.get("stream_options", {}).get("include_usage"):
        words = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
        counts = {"prompt_tokens": words, "completion_tokens": len(reply.pieces), "total_tokens": 0}
        yield event({"choices": [], "usage": counts | {"prompt_tokens_details": {"cached_tokens": 1}}})
    yield event("[DONE]")


def _call_parts(calls: Sequence[tuple[str, str, str]]) -> list[JsonObject]:
    parts: list[JsonObject] = [
        {"index": i, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        for i, (call_id, name, _) in enumerate(calls)
    ]
    longest = max((len(arguments) for *_, arguments in calls), default=0)
    for start in range(0, longest, 3):
        for i, (*_, arguments) in enumerate(calls):
            if piece := arguments[start : start + 3]:
                parts.append({"index": i, "function": {"arguments": piece}})
    return parts


def _error(status: int, message: str, kind: str) -> Answer:
    return json_answer({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.openai_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--model", default="Qwen/Qwen3-8B")
    parser.add_argument("--tokens", type=int, default=32, help="of each answer")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="before each token")
    options = parser.parse_args()
    pieces = [f" token{number}" for number in range(options.tokens)]
    default = Reply(pieces=pieces, delay_seconds=options.delay_ms / 1000)
    server = OpenAIServer(default=default, models=[{"id": options.model, "owned_by": "vllm", "max_model_len": 32768}])
    await server.http.start(options.port)
    print(server.http.port, flush=True)
    await server.http.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
