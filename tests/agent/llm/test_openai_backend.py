"""The `openai` backend over real HTTP, against a server that speaks chat/completions as vLLM does."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest
from pydantic import SecretStr

from agent.llm.backends.openai import OpenAI, create
from agent.llm.base import ToolSpec, Usage
from agent.llm.errors import ContextOverflow, MalformedAnswer, ModelError, ModelNotFound, ModelUnavailable, StreamBroken
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage, ToolCall
from tests.support.deltas import ASK, Answer, whole
from tests.support.openai_server import OpenAIServer, Reply

pytestmark = pytest.mark.service

MODEL = "Qwen/Qwen3-8B"
KEY = "sk-very-secret"
FIND = ToolSpec("find_customer", "Find a customer.", {"type": "object", "properties": {"query": {"type": "string"}}})
Connect = Callable[..., Any]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect, None]:
    """Starts a backend on a server; both are stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(server: OpenAIServer, model: str = MODEL, **settings: Any) -> OpenAI:
            await stack.enter_async_context(server)
            backend = create(model, LlmSettings(openai_base_url=server.url, **settings))
            await backend.start()
            stack.push_async_callback(backend.stop)
            return backend

        yield start


async def test_each_token_leaves_before_the_next_one_is_made(connect: Connect):
    gate = asyncio.Semaphore(0)
    backend = await connect(OpenAIServer([Reply(pieces=["a", "b", "c"], gate=gate)]))
    async with aclosing(backend.stream(ASK)) as deltas:
        for expected in "abc":
            assert (await anext(deltas)).text == expected  # the server makes the next one only after this
            gate.release()
        assert (await anext(deltas)).finish == "stop"


@pytest.mark.parametrize("cut_bytes", [1, 3, 7, 64])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
async def test_an_answer_is_the_same_wherever_its_bytes_are_cut(connect: Connect, cut_bytes: int, line_end: str):
    pieces = ["Grüße", " 💶", "\n", "\u2028", "\x85"]
    backend = await connect(OpenAIServer([Reply(pieces=pieces, line_end=line_end)], cut_bytes=cut_bytes))
    answer = await whole(backend.stream(ASK))
    assert answer.pieces == pieces
    assert answer.last.usage == Usage(input_tokens=2, output_tokens=len(pieces), cached_tokens=1)


async def test_calls_whose_arguments_come_in_pieces_are_put_together(connect: Connect):
    calls = [("a", "find_customer", '{"query": "ACME Ltd"}'), ("b", "find_customer", '{"query": "Globex"}')]
    backend = await connect(OpenAIServer([Reply(calls=calls)]))
    answer = await whole(backend.stream(ASK, tools=[FIND]))
    assert answer.calls == [
        ToolCall(id="a", tool="find_customer", arguments={"query": "ACME Ltd"}),
        ToolCall(id="b", tool="find_customer", arguments={"query": "Globex"}),
    ]
    assert answer.last.finish == "tool_calls"


async def test_a_call_whose_arguments_break_off_is_malformed(connect: Connect):
    backend = await connect(OpenAIServer([Reply(calls=[("a", "find_customer", '{"query": "AC')])]))
    with pytest.raises(MalformedAnswer, match="'find_customer' with arguments that are not a JSON object"):
        await whole(backend.stream(ASK, tools=[FIND]))


async def test_what_is_sent_is_in_openais_form(connect: Connect):
    server = OpenAIServer(api_key=KEY)
    backend = await connect(server, openai_api_key=SecretStr(KEY), temperature=0.5, max_tokens=99)
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    await whole(backend.stream(ASK, schema=schema, seed=7))
    (asked,) = server.asked
    assert asked == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 99,
        "temperature": 0.5,
        "seed": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema},
        },
    }


async def test_vllm_says_how_much_the_model_reads(connect: Connect):
    assert (await connect(OpenAIServer())).context_tokens == 32768


async def test_llama_cpp_takes_any_name_of_its_one_model(connect: Connect):
    server = OpenAIServer(models=[{"id": "/models/qwen.gguf", "owned_by": "llamacpp"}])
    backend = await connect(server, "whatever")
    assert (await whole(backend.stream(ASK))).text == "Hello, world."


async def test_a_missing_model_is_told_with_those_that_are_served(connect: Connect):
    with pytest.raises(ModelNotFound, match=r"has no 'gpt-4'\. It serves: Qwen/Qwen3-8B\."):
        await connect(OpenAIServer(), "gpt-4")


async def test_a_server_that_is_down_is_told_with_its_setting():
    async with OpenAIServer() as server:
        url = server.url
    with pytest.raises(
        ModelUnavailable, match=rf"cannot be reached\. Is it running\? Check OPENAI_BASE_URL \(now {url}\)"
    ):
        await create(MODEL, LlmSettings(openai_base_url=url)).start()


async def test_the_key_is_in_no_error_and_no_log(connect: Connect, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ModelUnavailable, match="refused the credentials") as caught:
        await connect(OpenAIServer(api_key="sk-another"), openai_api_key=SecretStr(KEY))
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in caplog.text


async def test_a_key_that_an_error_repeats_is_blotted_out(connect: Connect):
    reply = Reply(status=500, error=f"cannot bill {KEY} now")
    backend = await connect(OpenAIServer([reply]), openai_api_key=SecretStr(KEY))
    with pytest.raises(ModelError, match=r"cannot bill \*\*\* now"):
        await whole(backend.stream(ASK))


@pytest.mark.parametrize("key", ["sk-line\nbreak", "sk-ключ"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str):
    with pytest.raises(ModelError, match="OPENAI_API_KEY holds characters") as caught:
        create(MODEL, LlmSettings(openai_api_key=SecretStr(key)))
    assert key not in caught.value.message


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 32768 tokens. However, you requested 40000 tokens.",
        "request (20315 tokens) exceeds the available context size (8192 tokens), try increasing it",
    ],
)
async def test_a_conversation_that_is_too_long_is_its_own_error(connect: Connect, message: str):
    backend = await connect(OpenAIServer([Reply(status=400, error=message)]))
    with pytest.raises(ContextOverflow, match="longer than 'Qwen/Qwen3-8B' can read"):
        await whole(backend.stream(ASK))


async def test_a_busy_server_is_asked_again(connect: Connect):
    replies = [Reply(status=503, body=b"upstream not ready"), Reply(breaks="reset"), Reply(pieces=["Yes."])]
    server = OpenAIServer(replies)
    backend = await connect(server)
    assert (await whole(backend.stream(ASK))).text == "Yes."
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        ("error", "failed in the middle of its answer: CUDA out of memory"),
        ("reset", "stopped in the middle of its answer"),
        ("end", "ended its answer before it was whole"),
        ("garbage", "stopped in the middle of its answer"),
    ],
)
async def test_an_answer_that_breaks_off_is_told_and_not_begun_again(connect: Connect, breaks: str, message: str):
    server = OpenAIServer([Reply(pieces=["It ", "was"], breaks=breaks, error="CUDA out of memory")])
    backend = await connect(server)
    got = Answer()
    with pytest.raises(StreamBroken, match=message):
        await whole(backend.stream(ASK), got)
    assert got.text == "It was"
    assert len(server.asked) == 1


async def test_closing_the_answer_hangs_up_on_the_server(connect: Connect):
    server = OpenAIServer([Reply(pieces=["a", "b"], gate=asyncio.Semaphore(0))])
    deltas = (await connect(server)).stream(ASK)
    assert (await anext(deltas)).text == "a"
    await deltas.aclose()
    await asyncio.wait_for(server.http.abandoned_one.wait(), 5)


async def test_a_warm_prefix_is_read_before_the_first_question():
    async with OpenAIServer() as server:
        backend = create(MODEL, LlmSettings(openai_base_url=server.url))
        await backend.start(warm_prefix=[ChatMessage(role="system", content="You are a clerk.")])
        await backend.stop()
        assert server.asked[0]["max_tokens"] == 1
