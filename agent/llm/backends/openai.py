"""`openai:<model>`: any server with OpenAI's chat/completions, such as vLLM and llama.cpp's (`OPENAI_BASE_URL`).

Sources: https://platform.openai.com/docs/api-reference/chat, https://docs.vllm.ai/en/latest/serving/openai_compatible_server
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

import aiohttp
import httpx
import orjson

from agent.llm.base import Delta, Deltas, OnProgress, Progress, ToolSpec
from agent.llm.errors import ModelError, ModelNotFound, ModelUnavailable, StreamBroken
from agent.llm.http import Asked, Failures, bare_url, credentials, pieces, retry_after_seconds, timeouts, transport
from agent.llm.openai_wire import ChunkReader, JsonObject, wire_messages, wire_schema, wire_tools
from agent.llm.retry import until_it_starts
from agent.llm.settings import LlmSettings
from agent.llm.sse import EventParser
from agent.messages import ChatMessage

FORM = "openai:<model>"
CONTEXT_TOKENS = 8192  # until the server says
LARGEST_ERROR = 64 * 2**10  # bytes of an error answer that are read
RAISED = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError, TypeError, AttributeError)


def create(model: str, settings: LlmSettings) -> OpenAI:
    if not model:
        raise ModelError("DESKCLERK_LLM=openai needs a model, like openai:Qwen/Qwen3-8B.")
    return OpenAI(model, settings)


class OpenAI:
    """A model of a server that speaks as OpenAI's does."""

    def __init__(self, model: str, settings: LlmSettings) -> None:
        self._model = model
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._key = settings.openai_api_key.get_secret_value().strip() if settings.openai_api_key else ""
        if not self._key.isascii() or not (self._key or "x").isprintable():
            raise ModelError("OPENAI_API_KEY holds characters that no key has. Copy it again.")
        self.name = f"openai:{model}"
        self.digest = self.name
        self.native_tools = settings.tools == "native"  # a server does not tell whether its tool parser works
        self.context_tokens = settings.context_tokens or CONTEXT_TOKENS
        self._base = bare_url(settings.openai_base_url)
        self._failures = Failures(
            server=f"The model server at {self._base}",
            model=model,
            when_down=f"Is it running? Check OPENAI_BASE_URL (now {self._base}) and OPENAI_API_KEY.",
            when_missing="Set DESKCLERK_LLM=openai:<model> to one that it serves.",
            context=lambda: f"It reads {self.context_tokens} tokens. Start a new thread or send a shorter document.",
        )

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        if self._client is not None:
            return
        settings = self._settings
        try:
            self._client = httpx.AsyncClient(
                base_url=self._base,
                auth=credentials(settings.openai_base_url),
                headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
                transport=transport(settings.openai_base_url),
                timeout=timeouts(
                    connect_seconds=settings.connect_timeout_seconds, token_seconds=settings.token_timeout_seconds
                ),
            )
            await self._ask_about_model(self._client)
            if warm_prefix:
                if on_progress is not None:
                    on_progress(Progress(f"{self._model} reads the instructions", 0, None, "step"))
                async with aclosing(self.stream(warm_prefix, max_tokens=1)) as deltas:
                    async for _ in deltas:
                        pass
        except RAISED as error:
            await self.stop()
            raise self._failures.of_exception(error, started=False) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def check(self) -> None:
        """The server answers anything but a failure of its own; not every one lists its models."""
        client = self._client
        if client is None:
            raise ModelUnavailable("The model is not started.")
        try:
            answer = await client.get("/models")
        except RAISED as error:
            raise self._failures.of_exception(error, started=False) from error
        if answer.status_code >= 500:
            raise ModelUnavailable(f"The model server answers {answer.status_code}.")

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> Deltas:
        body: JsonObject = {
            "model": self._model,
            "messages": wire_messages(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": max_tokens or self._settings.max_tokens,
            "temperature": self._settings.temperature,
        }
        if seed is not None:
            body["seed"] = seed
        if tools:
            body["tools"] = wire_tools(tools)
        if schema is not None:
            body["response_format"] = wire_schema(schema)
        content = orjson.dumps(body)  # all that is kept while the answer comes: the schemas of tools are large
        return until_it_starts(lambda: self._attempt(content))

    async def _attempt(self, content: bytes) -> AsyncGenerator[Delta, None]:
        reader, started = ChunkReader(), False
        try:
            async with aclosing(self._events(content)) as events:
                async for event in events:
                    if event == "[DONE]":
                        break
                    chunk = cast("JsonObject", orjson.loads(event))
                    if error := chunk.get("error"):
                        raise self._refused(200, error, started=started)
                    if (delta := reader.read(chunk)) is not None:
                        yield delta
                    started = True
        except RAISED as error:
            raise self._failures.of_exception(error, started=started) from error
        if not reader.finished:
            raise StreamBroken(f"The model server at {self._base} ended its answer before it was whole.")
        yield reader.end()

    async def _events(self, content: bytes) -> AsyncGenerator[str, None]:
        """The data of each event of one answer."""
        if self._client is None:
            raise ModelError(f"The model {self.name!r} was not started.")
        parser = EventParser()
        async with Asked(self._client, "/chat/completions", content) as answer:
            if answer.status_code != 200:
                raise self._refused(
                    answer.status_code, await _beginning(answer), retry_after=retry_after_seconds(answer.headers)
                )
            async for received in pieces(answer):
                for data in parser.feed(received):
                    yield data

    async def _ask_about_model(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/models")
        if answer.status_code != 200:
            if answer.status_code in (404, 405):
                return  # not every server lists its models
            raise self._refused(answer.status_code, answer.content[:LARGEST_ERROR])
        listed = cast("list[JsonObject]", orjson.loads(answer.content).get("data") or [])
        entry = next((model for model in listed if model.get("id") == self._model), None)
        if entry is None and listed and not any(model.get("owned_by") == "llamacpp" for model in listed):
            served = ", ".join(sorted(str(model.get("id")) for model in listed)[:10])
            raise ModelNotFound(f"The model server at {self._base} has no {self._model!r}. It serves: {served}.")
        if (longest := (entry or {}).get("max_model_len")) and isinstance(longest, int):  # vLLM
            self.context_tokens = min(longest, self._settings.context_tokens or longest)

    def _refused(
        self, status: int, error: object, *, started: bool = False, retry_after: float | None = None
    ) -> ModelError:
        """`error`: the object under `error`, or the bytes of an error answer. A key that it repeats is blotted out."""
        said = _words(error)
        if self._key:
            said = said.replace(self._key, "***")
        if started:
            return StreamBroken(f"The model server at {self._base} failed in the middle of its answer: {said[:300]}")
        code = cast("JsonObject", error).get("code") if isinstance(error, dict) else None
        return self._failures.of_status(code if isinstance(code, int) else status, said, retry_after=retry_after)


async def _beginning(answer: httpx.Response) -> bytes:
    body = b""
    async for received in pieces(answer):
        body += received
        if len(body) > LARGEST_ERROR:
            break
    return body


def _words(error: object) -> str:
    """What an error answer says: OpenAI's `{"error": {"message"}}`, vLLM's older `{"message"}`, or plain text."""
    if isinstance(error, bytes):
        try:
            error = cast("object", orjson.loads(error))
        except orjson.JSONDecodeError:
            return error.decode("utf-8", "replace")
    if isinstance(error, dict):
        members = cast("JsonObject", error)
        inner = members.get("error", members)
        return str(cast("JsonObject", inner).get("message", inner)) if isinstance(inner, dict) else str(inner)
    return str(error)
