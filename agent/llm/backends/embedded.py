"""`embedded`, `embedded:<known model>`, `embedded:<file.gguf>`: a small model inside this process.

Each answer is generated in a thread of llama.cpp's caller; chunks cross to the event loop as they come. There are as
many threads as slots, and who finds all of them taken waits in line: first come, first served.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import orjson

from agent.llm.base import Delta, OnProgress, Progress, ToolSpec
from agent.llm.errors import ContextOverflow, ModelError, ModelUnavailable, StreamBroken, WeightsUnavailable
from agent.llm.llamacpp import Engine, read_through
from agent.llm.openai_wire import ChunkReader, JsonObject, wire_messages, wire_schema, wire_tools
from agent.llm.settings import LlmSettings
from agent.llm.weights import DEFAULT, KnownModel, known, pull
from agent.llm.weights.cache import cache_root
from agent.messages import ChatMessage

FORM = "embedded[:<known model or file.gguf>]"
CONTEXT_TOKENS = 8192
KEPT_PREFIXES = 4


def create(model: str, settings: LlmSettings) -> Embedded:
    """`model` is empty, the name of a known model, or the path of a GGUF file."""
    return Embedded(model, settings)


class Embedded:
    """llama.cpp in this process."""

    def __init__(self, model: str, settings: LlmSettings) -> None:
        self._settings = settings
        self._known: KnownModel | None = known().get(model or DEFAULT)
        self._path = None if self._known else Path(model).expanduser()
        self._engine: Engine | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._stopping = False
        self._digest = ""
        self.name = f"embedded:{model}" if model else "embedded"
        self.native_tools = settings.tools == "native"
        self.context_tokens = settings.context_tokens or CONTEXT_TOKENS

    @property
    def digest(self) -> str:
        return f"sha256:{self._known.sha256}" if self._known else self._digest or self.name

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        if self._engine is not None:
            return
        self._stopping = False
        self._threads = ThreadPoolExecutor(self._settings.slots, thread_name_prefix="llama")
        loop = asyncio.get_running_loop()

        def report(progress: Progress) -> None:  # called from threads, which have no other way to be stopped
            if self._stopping:
                raise WeightsUnavailable("The model was no longer wanted while it was being fetched.")
            if on_progress is not None:
                on_progress(progress)

        try:
            path = await loop.run_in_executor(self._threads, self._locate, report)
            self._engine = await loop.run_in_executor(self._threads, self._load, path, report)
            if warm_prefix:
                await self._warm(warm_prefix, report)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        self._stopping = True
        engine, threads = self._engine, self._threads
        self._engine = self._threads = None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown, wait=True, cancel_futures=True)
        if engine is not None:
            await asyncio.to_thread(engine.close)

    async def check(self) -> None:
        """It is loaded."""
        if self._engine is None:
            raise ModelUnavailable("The model is not loaded.")

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> AsyncGenerator[Delta, None]:
        request: JsonObject = {
            "messages": wire_messages(messages),
            "max_tokens": max_tokens or self._settings.max_tokens,
            "temperature": self._settings.temperature,
            "seed": seed if seed is not None else 0,
        }
        if tools:
            request["tools"] = wire_tools(tools)
        if schema is not None:
            request["response_format"] = wire_schema(schema)
        reader = ChunkReader()
        async with aclosing(self._chunks(request)) as chunks:
            async for chunk in chunks:
                if (delta := reader.read(chunk)) is not None:
                    yield delta
        if not reader.finished:
            raise StreamBroken("The embedded model was stopped in the middle of its answer.")
        yield reader.end()

    async def _chunks(self, request: JsonObject) -> AsyncGenerator[JsonObject, None]:
        """What llama.cpp answers, chunk by chunk. Closing this stops it at the next token or prompt batch."""
        engine, threads = self._engine, self._threads
        if engine is None or threads is None:
            raise ModelError(f"The model {self.name!r} is not loaded.")
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        closed = False

        def on_chunk(chunk: bytes) -> bool:
            if closed or self._stopping or loop.is_closed():
                return True
            loop.call_soon_threadsafe(arrived.put_nowait, chunk)
            return False

        def on_done(job: Future[None]) -> None:
            if not closed and not loop.is_closed():
                end = StreamBroken("The embedded model is being unloaded.") if job.cancelled() else job.exception()
                loop.call_soon_threadsafe(arrived.put_nowait, end)

        body = orjson.dumps(
            request | {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
        )
        try:
            job = threads.submit(engine.chat, body, on_chunk)
        except RuntimeError:  # `stop` came between
            raise StreamBroken("The embedded model is being unloaded.") from None
        job.add_done_callback(on_done)
        try:
            while (item := await arrived.get()) is not None:
                if isinstance(item, ModelError):
                    raise item
                if isinstance(item, BaseException):
                    raise ModelError(f"The embedded model refused the request: {item}") from item
                chunk = cast("JsonObject", orjson.loads(item))
                if error := chunk.get("error"):
                    raise self._error(cast("JsonObject", error))
                yield chunk
        finally:
            closed = True
            job.cancel()  # it may still be waiting for a slot

    def _error(self, error: JsonObject) -> ModelError:
        message = error.get("message", "")
        if error.get("type") == "exceed_context_size_error":
            return ContextOverflow(
                f"The conversation has {error.get('n_prompt_tokens')} tokens and the embedded model reads "
                f"{self.context_tokens}. Start a new thread, send a shorter document, or set DESKCLERK_LLM_CONTEXT."
            )
        if "context size" in message.lower():
            return ContextOverflow(f"The embedded model ran out of context: {message}")
        return ModelError(f"The embedded model failed: {message}")

    def _locate(self, on_progress: OnProgress) -> Path:
        if self._known is not None:
            path = pull(self._known.name, on_progress=on_progress)
            self._digest = f"sha256:{self._known.sha256}"
            return path
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                magic = file.read(4)
            stat = self._path.stat()
        except OSError as error:
            raise WeightsUnavailable(
                f"The model file {str(self._path)!r} cannot be read ({error.strerror}). DESKCLERK_LLM=embedded takes "
                f"the path of a GGUF file or one of: {', '.join(known())}."
            ) from error
        if magic != b"GGUF":
            raise WeightsUnavailable(f"{str(self._path)!r} is not a GGUF file.")
        self._digest = f"file:{self._path.name}:{stat.st_size}:{stat.st_mtime_ns}"
        return self._path

    def _load(self, path: Path, on_progress: OnProgress) -> Engine:
        total, done = path.stat().st_size, 0

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            on_progress(Progress("Loading the model", done, total))

        read_through(path, on_bytes)
        if not done:  # it was in the page cache already
            on_progress(Progress("Loading the model", 0, None))
        try:
            engine = Engine.load(
                path,
                context_tokens=self.context_tokens,
                slots=self._settings.slots,
                threads=self._settings.threads,
                prefixes=prefixes_folder(),
            )
        except (RuntimeError, MemoryError) as error:
            raise WeightsUnavailable(
                f"llama.cpp cannot load {path.name!r}: {error} It needs about twice the file's size in free memory."
            ) from error
        if self._stopping:
            engine.close()
            raise WeightsUnavailable("The model was no longer wanted when it was loaded.")
        return engine

    async def _warm(self, prefix: Sequence[ChatMessage], on_progress: OnProgress) -> None:
        """Have every slot know the prefix, so that the first question waits for its own words only.

        It is read once and kept on the disk: reading 700 tokens takes two cores 8 s, restoring them 0.1 s. The last
        message may differ from what was kept: what changes from day to day stands there, and it is short.
        """
        engine, slots = self._engine, range(self._settings.slots)
        assert engine is not None
        messages = wire_messages(prefix)
        kept = prefix_name(self.digest, messages[:-1] or messages)
        if not await asyncio.to_thread(engine.restore, 0, kept):
            await self._read(messages, 0, on_progress)
            await asyncio.to_thread(engine.save, 0, kept)
            await asyncio.to_thread(remove_old_prefixes, prefixes_folder())
        for slot in slots[1:]:
            if not await asyncio.to_thread(engine.restore, slot, kept):
                await self._read(messages, slot, on_progress)

    async def _read(self, messages: list[JsonObject], slot: int, on_progress: OnProgress) -> None:
        request: JsonObject = {"messages": messages, "max_tokens": 1, "id_slot": slot}
        async with aclosing(self._chunks(request)) as chunks:
            async for chunk in chunks:
                if progress := cast("JsonObject | None", chunk.get("prompt_progress")):
                    on_progress(Progress("Reading the instructions", progress["processed"], progress["total"], "step"))


def prefix_name(digest: str, messages: list[JsonObject]) -> str:
    """The file of a prefix: another model, llama.cpp or wording is another file."""
    about = [digest, version("xllamacpp"), messages]
    return f"{hashlib.sha256(orjson.dumps(about)).hexdigest()[:32]}.bin"


def prefixes_folder() -> Path:
    return cache_root() / "prefixes"


def remove_old_prefixes(folder: Path) -> None:
    """Keep the newest few; wordings change, and each is 60 MB."""
    files = sorted(folder.glob("*.bin"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[KEPT_PREFIXES:]:
        file.unlink(missing_ok=True)
