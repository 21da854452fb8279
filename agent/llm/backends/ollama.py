"""`ollama:<model>`: a model of an Ollama server (`OLLAMA_HOST`), through its own Python client.

Sources: https://docs.ollama.com/api/chat, and `api/types.go` for `truncate` and `shift`, which the page leaves out:
without `truncate: false` Ollama drops the oldest messages of a long conversation and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal, cast

import aiohttp
import httpx
import ollama
import orjson

from agent.llm.base import Delta, Deltas, OnProgress, Progress, ToolSpec, Usage
from agent.llm.errors import ModelError, ModelUnavailable, StreamBroken
from agent.llm.http import Asked, Failures, bare_url, credentials, pieces, timeouts, transport
from agent.llm.ndjson import LineParser
from agent.llm.openai_wire import JsonObject, new_call_id, wire_tools
from agent.llm.retry import until_it_starts
from agent.llm.schemas import inline_references
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage, ToolCall

FORM = "ollama:<model>"
CONTEXT_TOKENS = 8192
LARGEST_ERROR = 64 * 2**10  # bytes of an error answer that are read
OLDEST = (0, 12, 6)  # the first that takes `truncate: false`

# Library models whose publishers train and test them for tool calls. Only these are trusted with Ollama's `tools`
# (DESKCLERK_LLM_TOOLS=auto), and only from SMALLEST on; every other model is held to a schema instead, which works
# with all of them. Ollama says `tools` of any model whose template mentions them, also of those that never call one.
TRUSTED = frozenset({"gpt-oss", "granite4", "llama3.3", "mistral-small3.1", "mistral-small3.2", "qwen3"})
SMALLEST = 4.0  # billions of parameters

FINISHES: dict[str, Literal["stop", "length"]] = {"stop": "stop", "length": "length"}
# What the client, httpx and aiohttp raise, and what the client's parsing does on lines that are no chat answers.
RAISED = (
    ollama.ResponseError,
    httpx.HTTPError,
    httpx.InvalidURL,
    aiohttp.ClientError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
)


def create(model: str, settings: LlmSettings) -> Ollama:
    if not model:
        raise ModelError("DESKCLERK_LLM=ollama needs a model, like ollama:qwen3:8b.")
    return Ollama(model, settings)


class _Client(ollama.AsyncClient):
    """Ollama's client, with a chat that sends what it is given and reads what it gets.

    `AsyncClient.chat` knows no `truncate`, of a tool's schema it keeps the first level only, and it takes some
    characters inside an answer for the end of a line.
    """

    @property
    def _http(self) -> httpx.AsyncClient:
        return cast("Any", self)._client  # not annotated there

    async def answers(self, content: bytes) -> AsyncGenerator[JsonObject, None]:
        """Each line of the answer, in the form of an `ollama.ChatResponse`."""
        parser = LineParser()
        async with Asked(self._http, "/api/chat", content) as response:
            if response.is_error:
                said = (await response.aread())[:LARGEST_ERROR]
                raise ollama.ResponseError(said.decode("utf-8", "replace"), response.status_code)
            async for received in pieces(response):
                for line in parser.feed(received):
                    yield _part(line)
            for line in parser.finish():
                yield _part(line)

    async def version(self) -> str:
        answer = await self._http.get("/api/version")
        return str(answer.json().get("version", "")) if answer.is_success else ""


class Ollama:
    """A model of an Ollama server."""

    def __init__(self, model: str, settings: LlmSettings) -> None:
        self._model = model
        self._settings = settings
        self._client: _Client | None = None
        self._thinking: bool | str | None = None  # None: the model does not think
        self.name = f"ollama:{model}"
        self.digest = self.name
        self.native_tools = settings.tools == "native"
        self.context_tokens = settings.context_tokens or CONTEXT_TOKENS
        host = bare_url(settings.ollama_host)
        self._failures = Failures(
            server=f"Ollama at {host}",
            model=model,
            when_down=f"Is Ollama running? Start it with `ollama serve`, or set OLLAMA_HOST (now {host}).",
            when_missing=f"Fetch it with `ollama pull {model}`.",
            context=lambda: f"It reads {self.context_tokens} tokens here; DESKCLERK_LLM_CONTEXT allows more.",
        )

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        if self._client is not None:
            return
        settings = self._settings
        try:
            self._client = _Client(
                host=bare_url(settings.ollama_host),
                auth=credentials(settings.ollama_host),
                transport=transport(settings.ollama_host),
                timeout=timeouts(
                    connect_seconds=settings.connect_timeout_seconds, token_seconds=settings.token_timeout_seconds
                ),
            )
            await self._ask_about_model(self._client)
            if on_progress is not None:
                on_progress(Progress(f"Ollama loads {self._model}", 0, None, "step"))
            await self._load(warm_prefix)
        except RAISED as error:
            await self.stop()
            raise self._failure(error, started=False) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def check(self) -> None:
        """The server answers; whether the model is loaded shows when it is asked."""
        client = self._client
        if client is None:
            raise ModelUnavailable("The model is not started.")
        try:
            await client.version()
        except RAISED as error:
            raise self._failure(error, started=False) from error

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> Deltas:
        body = self._body(messages, max_tokens or self._settings.max_tokens, seed)
        if tools:
            body["tools"] = wire_tools(
                [ToolSpec(t.name, t.description, inline_references(t.parameters)) for t in tools]
            )
        if schema is not None:
            body["format"] = schema
        content = orjson.dumps(body)  # all that is kept while the answer comes: the schemas of tools are large
        return until_it_starts(lambda: self._attempt(content))

    async def _attempt(self, content: bytes) -> AsyncGenerator[Delta, None]:
        if self._client is None:
            raise ModelError(f"The model {self.name!r} was not started.")
        started = called = False
        try:
            async with aclosing(self._client.answers(content)) as answers:
                async for part in answers:
                    if text := _text_alone(part):
                        started = True
                        yield Delta(text)
                        continue
                    answer = ollama.ChatResponse(**part)
                    if calls := _calls(answer):
                        called = True
                        yield Delta(calls=calls)
                    if text := answer.message.content:
                        yield Delta(text=text)
                    started = True
                    if answer.done:
                        yield _last(answer, called=called)
                        return
        except RAISED as error:
            raise self._failure(error, started=started) from error
        raise StreamBroken(f"Ollama ended its answer without saying that it was done ({self._model}).")

    def _body(self, messages: Sequence[ChatMessage], max_tokens: int, seed: int | None) -> JsonObject:
        options: JsonObject = {
            "num_ctx": self.context_tokens,
            "num_predict": max_tokens,
            "temperature": self._settings.temperature,
        }
        if seed is not None:
            options["seed"] = seed
        body: JsonObject = {
            "model": self._model,
            "messages": [_wire(message) for message in messages],
            "stream": True,
            "options": options,
            "keep_alive": self._settings.ollama_keep_alive,
            "truncate": False,
            "shift": False,
        }
        if self._thinking is not None:
            body["think"] = self._thinking
        return body

    async def _ask_about_model(self, client: _Client) -> None:
        version = await client.version()
        if (numbers := _numbers(version)) and (0, 0, 0) < numbers < OLDEST:
            raise ModelUnavailable(
                f"Ollama {version} is too old: before {'.'.join(map(str, OLDEST))} it shortens long conversations "
                "without saying so. Update Ollama."
            )
        wanted = self._model if ":" in self._model.rsplit("/", 1)[-1] else f"{self._model}:latest"
        listed = {model.model: model.digest for model in (await client.list()).models}
        shown = await client.show(self._model)
        self.digest = listed.get(wanted) or self.name
        self.context_tokens = min(self.context_tokens, _trained_context(shown.modelinfo or {}) or self.context_tokens)
        capabilities = shown.capabilities or ()
        family = (shown.details.family if shown.details else "") or ""
        if self._settings.tools == "auto":
            size = shown.details.parameter_size if shown.details else ""
            self.native_tools = "tools" in capabilities and is_trusted(self._model, size or "")
        if "thinking" in capabilities:  # gpt-oss knows only how much, not whether
            self._thinking = self._settings.think or ("low" if family in {"gptoss", "gpt-oss"} else False)

    async def _load(self, warm_prefix: Sequence[ChatMessage]) -> None:
        """Have the model in memory and the prefix in its cache. Without messages Ollama only loads."""
        assert self._client is not None
        async with aclosing(self._client.answers(orjson.dumps(self._body(warm_prefix, 1, None)))) as answers:
            async for _ in answers:
                pass

    def _failure(self, error: Exception, *, started: bool) -> ModelError:
        if isinstance(error, ollama.ResponseError):
            if started:
                return StreamBroken(f"Ollama failed in the middle of its answer: {error.error[:300]}")
            return self._failures.of_status(error.status_code, error.error)
        return self._failures.of_exception(error, started=started)


def is_trusted(model: str, parameter_size: str) -> bool:
    """Whether the model's own tool calls are relied on. `parameter_size` as Ollama writes it, like `8.2B`."""
    size = re.fullmatch(r"([\d.]+)([BM])", parameter_size)
    billions = float(size[1]) / (1 if size[2] == "B" else 1000) if size else 0.0
    return model.split(":", maxsplit=1)[0].removeprefix("library/") in TRUSTED and billions >= SMALLEST


def _wire(message: ChatMessage) -> JsonObject:
    wire: JsonObject = {"role": message.role, "content": message.content}
    if message.calls:
        wire["tool_calls"] = [
            {"id": c.id, "function": {"name": c.tool, "arguments": c.arguments}} for c in message.calls
        ]
    if message.role == "tool":
        wire |= {"tool_name": message.tool or "", "tool_call_id": message.call_id or ""}
    return wire


def _part(line: bytes) -> JsonObject:
    part = cast("JsonObject", orjson.loads(line))
    if error := part.get("error"):
        raise ollama.ResponseError(str(error))
    return part


def _text_alone(part: JsonObject) -> str | None:
    """The text of a line that holds nothing else: nearly every one, and the client's models cost more than all the rest
    that is done for it."""
    message = cast("JsonObject | None", part.get("message"))
    if part.get("done") is False and isinstance(message, dict) and message.keys() == {"role", "content"}:
        text = message["content"]
        return text if isinstance(text, str) else None
    return None


def _calls(answer: ollama.ChatResponse) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(id=new_call_id(), tool=call.function.name, arguments=dict(call.function.arguments))
        for call in answer.message.tool_calls or ()
    )


def _last(answer: ollama.ChatResponse, *, called: bool) -> Delta:
    usage = Usage(input_tokens=answer.prompt_eval_count or 0, output_tokens=answer.eval_count or 0)
    return Delta(finish="tool_calls" if called else FINISHES.get(answer.done_reason or "stop", "stop"), usage=usage)


def _trained_context(info: Mapping[str, Any]) -> int | None:
    return next((value for key, value in info.items() if key.endswith(".context_length")), None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
