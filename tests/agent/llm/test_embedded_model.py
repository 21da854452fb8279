"""The real embedded model: one load for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import orjson
import pytest
import pytest_asyncio

from agent.llm.backends.embedded import Embedded, create
from agent.llm.backends.ollama import create as create_ollama
from agent.llm.errors import ContextOverflow, ModelError
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage
from tests.support.deltas import whole
from tests.support.embedded_ollama import chat_with
from tests.support.ollama_server import OllamaServer

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

CLERK = ChatMessage(role="system", content="You are a clerk. " * 20)
SCHEMA = {
    "type": "object",
    "properties": {"customer": {"enum": ["cus_acme", "cus_globex"]}},
    "required": ["customer"],
    "additionalProperties": False,
}


def ask(text: str) -> list[ChatMessage]:
    return [CLERK, ChatMessage(role="user", content=text)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def backend() -> AsyncGenerator[Embedded, None]:
    made = create("", LlmSettings(slots=2, context_tokens=2048))
    await made.start(warm_prefix=[CLERK])
    yield made
    await made.stop()


async def test_a_question_is_answered_token_by_token(backend: Embedded):
    answer = await whole(backend.stream(ask("What is the capital of France? One word."), max_tokens=16))
    assert "Paris" in answer.text
    assert answer.last.finish == "stop"
    assert answer.last.usage is not None
    assert answer.last.usage.output_tokens >= len(answer.pieces)


async def test_the_prefix_that_was_read_at_the_start_is_not_read_again(backend: Embedded):
    answer = await whole(backend.stream(ask("Say yes."), max_tokens=2))
    assert answer.last.usage is not None
    assert answer.last.usage.cached_tokens > 80


async def test_an_answer_keeps_to_the_schema(backend: Embedded):
    answer = await whole(backend.stream(ask("Which customer is Globex? As JSON."), schema=SCHEMA, max_tokens=40))
    assert orjson.loads(answer.text) == {"customer": "cus_globex"}


async def test_the_same_seed_says_the_same(backend: Embedded):
    texts = {(await whole(backend.stream(ask("A number?"), max_tokens=8, seed=3))).text for _ in range(2)}
    assert len(texts) == 1


async def test_answers_share_the_slots_and_those_that_wait_get_their_turn(backend: Embedded):
    answers = await asyncio.gather(*(whole(backend.stream(ask(f"Say {n}."), max_tokens=4)) for n in range(4)))
    assert all(answer.text for answer in answers)


async def test_the_event_loop_goes_on_while_tokens_are_made(backend: Embedded):
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    await whole(backend.stream(ask("Count to five."), max_tokens=10))
    counting.cancel()
    assert turns > 100


async def test_closing_the_answer_frees_its_slot(backend: Embedded):
    for _ in range(3):  # more than there are slots: a slot that stayed taken would hold up the question below
        deltas = backend.stream(ask("Write a long poem about invoices."), max_tokens=1500)
        await anext(deltas)
        await deltas.aclose()
    async with asyncio.timeout(120):
        assert (await whole(backend.stream(ask("Say yes."), max_tokens=2))).text


async def test_a_conversation_that_is_too_long_is_refused(backend: Embedded):
    with pytest.raises(ContextOverflow, match=r"has \d+ tokens and the embedded model reads 2048"):
        await whole(backend.stream(ask("word " * 3000)))


async def test_an_answer_that_reaches_the_limit_says_so(backend: Embedded):
    assert (await whole(backend.stream(ask("Write a poem."), max_tokens=3))).last.finish == "length"


async def test_a_schema_that_cannot_be_compiled_is_refused(backend: Embedded):
    with pytest.raises(ModelError, match="unrecognized type"):
        await whole(backend.stream(ask("Hi."), schema={"type": "objectx"}))


async def test_the_ollama_client_meets_a_real_model_over_its_wire(backend: Embedded):
    """Driven by the embedded model behind Ollama's protocol, not by Ollama."""
    async with OllamaServer(chat=chat_with(backend)) as server:
        client = create_ollama("qwen3:8b", LlmSettings(ollama_host=server.url, context_tokens=2048))
        await client.start()
        try:
            free = await whole(client.stream(ask("Say yes."), max_tokens=3))
            held = await whole(client.stream(ask("Which customer is Globex?"), schema=SCHEMA, max_tokens=40))
        finally:
            await client.stop()
    assert free.text
    assert orjson.loads(held.text) == {"customer": "cus_globex"}
    assert held.last.usage is not None
    assert held.last.usage.input_tokens > 80
