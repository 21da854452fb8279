"""The embedded backend around an engine that behaves as llama.cpp does; the real one is in test_embedded_model.py."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.llm.backends import embedded
from agent.llm.backends.embedded import KEPT_PREFIXES, Embedded, create, remove_old_prefixes
from agent.llm.base import Delta, Progress, Usage
from agent.llm.errors import ContextOverflow, ModelError, StreamBroken, WeightsUnavailable
from agent.llm.llamacpp import gains_from_repacking, is_cached, read_through, spare_threads
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage
from tests.support.deltas import ASK, whole

JsonObject = dict[str, Any]


def piece(text: str | None, finish: str | None = None) -> JsonObject:
    return {"choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}]}


END: list[JsonObject] = [piece(None, "stop"), {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}]


class FakeEngine:
    """Sends `chunks` from the thread that calls it, one for each permit of `gate`, until told to stop."""

    def __init__(self) -> None:
        self.chunks: list[JsonObject] = [piece("He"), piece("llo"), *END]
        self.gate: threading.Semaphore | None = None
        self.refuses: Exception | None = None
        self.requests: list[JsonObject] = []
        self.at_once = self.most_at_once = 0
        self.stopped = threading.Event()
        self.closed = False
        self.can_save = True
        self.saved: set[str] = set()
        self.restored: list[int] = []
        self._lock = threading.Lock()

    def chat(self, request: bytes, on_chunk: Callable[[bytes], bool]) -> None:
        with self._lock:
            self.requests.append(orjson.loads(request))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.refuses is not None:
                raise self.refuses
            for chunk in self.chunks:
                if self.gate is not None:
                    assert self.gate.acquire(timeout=10)
                if on_chunk(orjson.dumps(chunk)):
                    self.stopped.set()
                    return
        finally:
            with self._lock:
                self.at_once -= 1

    def save(self, slot: int, name: str) -> bool:
        self.saved.add(name)
        return self.can_save

    def restore(self, slot: int, name: str) -> bool:
        if self.can_save and name in self.saved:
            self.restored.append(slot)
            return True
        return False

    def close(self) -> None:
        assert self.at_once == 0
        self.closed = True


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.setenv("DESKCLERK_CACHE", str(tmp_path / "cache"))
    fake = FakeEngine()

    def load(path: Path, **_: object) -> FakeEngine:
        return fake

    monkeypatch.setattr(embedded.Engine, "load", load)
    return fake


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    return path


@pytest.fixture
async def backend(engine: FakeEngine, gguf: Path) -> AsyncGenerator[Embedded, None]:
    made = create(str(gguf), LlmSettings(slots=2))
    await made.start()
    yield made
    await made.stop()


async def test_tokens_cross_from_the_thread_as_they_come(backend: Embedded, engine: FakeEngine):
    engine.gate = threading.Semaphore(0)
    async with aclosing(backend.stream(ASK)) as deltas:
        for expected in ("He", "llo"):
            engine.gate.release()
            assert (await anext(deltas)).text == expected  # the engine is held back after each
        engine.gate.release(2)
        assert await anext(deltas) == Delta(finish="stop", usage=Usage(5, 2))


async def test_the_request_carries_the_schema_and_the_seed(backend: Embedded, engine: FakeEngine):
    schema = {"type": "object"}
    await whole(backend.stream(ASK, schema=schema, seed=7, max_tokens=9))
    (request,) = engine.requests
    assert request["response_format"]["json_schema"]["schema"] == schema
    assert (request["seed"], request["max_tokens"], request["temperature"]) == (7, 9, 0.0)


async def test_closing_the_answer_stops_the_generation(backend: Embedded, engine: FakeEngine):
    engine.gate = threading.Semaphore(1)
    deltas = backend.stream(ASK)
    await anext(deltas)
    await deltas.aclose()
    engine.gate.release()
    assert await asyncio.to_thread(engine.stopped.wait, 10)


async def test_an_answer_that_waits_for_a_slot_can_be_given_up(backend: Embedded, engine: FakeEngine):
    engine.gate = threading.Semaphore(0)
    running = [asyncio.ensure_future(whole(backend.stream(ASK))) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(whole(backend.stream([ChatMessage(role="user", content="third")])))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    engine.gate.release(100)
    assert [answer.text for answer in await asyncio.gather(*running)] == ["Hello", "Hello"]
    assert all("third" not in str(request) for request in engine.requests)


async def test_no_more_answers_are_made_at_once_than_there_are_slots(backend: Embedded, engine: FakeEngine):
    answers = await asyncio.gather(*(whole(backend.stream(ASK)) for _ in range(8)))
    assert {answer.text for answer in answers} == {"Hello"}
    assert engine.most_at_once <= 2


async def test_stopping_ends_what_is_under_way_and_unloads(backend: Embedded, engine: FakeEngine):
    engine.gate = threading.Semaphore(1)
    deltas = backend.stream(ASK)
    assert (await anext(deltas)).text == "He"
    stopping = asyncio.ensure_future(backend.stop())
    await asyncio.sleep(0)
    engine.gate.release(100)
    await stopping
    with pytest.raises(StreamBroken, match="stopped in the middle"):
        await whole(deltas)
    assert engine.closed
    with pytest.raises(ModelError, match="is not loaded"):
        await whole(backend.stream(ASK))


async def test_a_stopped_model_can_be_loaded_again(backend: Embedded):
    await backend.stop()
    await backend.start()
    assert (await whole(backend.stream(ASK))).text == "Hello"


async def test_a_conversation_that_is_too_long_is_its_own_error(backend: Embedded, engine: FakeEngine):
    error = {"type": "exceed_context_size_error", "message": "too long", "n_prompt_tokens": 20315, "n_ctx": 8192}
    engine.chunks = [{"error": error}]
    with pytest.raises(ContextOverflow, match="has 20315 tokens and the embedded model reads 8192"):
        await whole(backend.stream(ASK))


async def test_a_request_that_llama_cpp_refuses_is_told_in_its_words(backend: Embedded, engine: FakeEngine):
    engine.refuses = ValueError("JSON schema error at #: unrecognized type objectx")
    with pytest.raises(ModelError, match="refused the request: JSON schema error at #: unrecognized type"):
        await whole(backend.stream(ASK))


async def test_an_answer_that_is_not_whole_is_broken(backend: Embedded, engine: FakeEngine):
    engine.chunks = [piece("He")]
    with pytest.raises(StreamBroken):
        await whole(backend.stream(ASK))


async def started(gguf: Path, *prefix: str, seen: list[Progress] | None = None) -> None:
    backend = create(str(gguf), LlmSettings(slots=2))
    on_progress = None if seen is None else seen.append
    messages = [ChatMessage(role="system", content=content) for content in prefix]
    await backend.start(on_progress=on_progress, warm_prefix=messages)
    await backend.stop()


async def test_the_prefix_is_read_once_and_every_slot_knows_it(engine: FakeEngine, gguf: Path):
    engine.chunks = [piece(None) | {"prompt_progress": {"total": 10, "processed": 10}}, *END]
    seen: list[Progress] = []
    await started(gguf, "A clerk.", seen=seen)
    assert [request["id_slot"] for request in engine.requests] == [0]
    assert engine.restored == [1]
    assert Progress("Reading the instructions", 10, 10, "step") in seen


async def test_the_next_start_does_not_read_the_prefix_again(engine: FakeEngine, gguf: Path):
    await started(gguf, "A clerk.")
    await started(gguf, "A clerk.")
    assert len(engine.requests) == 1
    assert engine.restored == [1, 0, 1]


async def test_a_new_day_at_the_end_of_the_prefix_does_not_have_it_read_again(engine: FakeEngine, gguf: Path):
    await started(gguf, "A clerk.", "Today is Monday.")
    await started(gguf, "A clerk.", "Today is Tuesday.")
    assert len(engine.requests) == 1
    await started(gguf, "A friendly clerk.", "Today is Tuesday.")
    assert len(engine.requests) == 2


def test_a_file_that_was_just_read_is_not_read_through_again(tmp_path: Path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + bytes(2**20))
    told: list[int] = []
    read_through(file, told.append)
    assert is_cached(file) is (told == [])


async def test_another_wording_is_read_anew(engine: FakeEngine, gguf: Path):
    await started(gguf, "A clerk.")
    await started(gguf, "A friendly clerk.")
    assert len(engine.requests) == len(engine.saved) == 2


async def test_where_nothing_can_be_saved_every_slot_reads_the_prefix(engine: FakeEngine, gguf: Path):
    engine.can_save = False
    await started(gguf, "A clerk.")
    assert [request["id_slot"] for request in engine.requests] == [0, 1]


def test_only_the_newest_prefixes_are_kept(tmp_path: Path):
    for age in range(KEPT_PREFIXES + 2):
        (tmp_path / f"{age}.bin").touch()
        os.utime(tmp_path / f"{age}.bin", (1000 - age, 1000 - age))
    remove_old_prefixes(tmp_path)
    assert {file.stem for file in tmp_path.iterdir()} == {str(age) for age in range(KEPT_PREFIXES)}


async def test_giving_up_the_start_stops_the_thread_that_fetches(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    fetching, go_on = threading.Event(), threading.Event()
    outcome: list[BaseException] = []

    def pull(name: str, on_progress: Callable[[Progress], None]) -> Path:
        fetching.set()
        assert go_on.wait(10)
        try:
            on_progress(Progress("Fetching", 1, 2))
        except BaseException as error:
            outcome.append(error)
            raise
        raise AssertionError("it was not stopped")

    monkeypatch.setattr(embedded, "pull", pull)
    backend = create("", LlmSettings())
    starting = asyncio.ensure_future(backend.start())
    assert await asyncio.to_thread(fetching.wait, 10)
    starting.cancel()
    await asyncio.sleep(0.01)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert isinstance(outcome[0], WeightsUnavailable)


async def test_a_file_that_is_not_there_is_told_with_the_models_that_are_known():
    with pytest.raises(WeightsUnavailable, match=r"'/no/such\.gguf' cannot be read .*one of: qwen2\.5-coder-1\.5b"):
        await create("/no/such.gguf", LlmSettings()).start()


async def test_a_file_that_is_no_model_is_told(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(WeightsUnavailable, match="is not a GGUF file"):
        await create(str(tmp_path / "notes.txt"), LlmSettings()).start()


def test_a_known_model_is_identified_by_its_sum():
    digest = create("", LlmSettings()).digest
    assert digest == "sha256:cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    assert create("qwen2.5-coder-1.5b", LlmSettings()).digest == digest


async def test_a_file_of_ones_own_is_identified_by_what_it_is(backend: Embedded):
    assert backend.digest.startswith("file:model.gguf:104:")


@pytest.mark.parametrize(
    ("load", "cores", "threads"), [(0.5, 2, None), (4.0, 2, None), (11.0, 2, 1), (40.0, 16, 8), (9.0, 1, 1)]
)
def test_a_crowded_machine_gets_fewer_threads(load: float, cores: int, threads: int | None):
    assert spare_threads(load, cores) == threads


@pytest.mark.parametrize(
    ("machine", "flags", "gains"),
    [
        ("x86_64", {"avx", "avx2"}, False),
        ("AMD64", set[str](), False),
        ("x86_64", {"avx2", "avx512f"}, True),
        ("x86_64", {"avx2", "amx_int8"}, True),
        ("aarch64", set[str](), True),
        ("arm64", set[str](), True),
    ],
)
def test_weights_are_laid_out_anew_only_where_that_pays(machine: str, flags: set[str], gains: bool):
    assert gains_from_repacking(machine, frozenset(flags)) is gains
