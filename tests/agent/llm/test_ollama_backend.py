"""The Ollama backend and the real `ollama` client over real HTTP, against a server that speaks Ollama's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest

from agent.llm.backends.ollama import Ollama, create, is_trusted
from agent.llm.base import ToolSpec, Usage
from agent.llm.errors import ContextOverflow, MalformedAnswer, ModelError, ModelNotFound, ModelUnavailable, StreamBroken
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage, ToolCall
from tests.support.deltas import ASK, Answer, whole
from tests.support.ollama_server import Model, OllamaServer, Reply

pytestmark = pytest.mark.service

FIND = ToolSpec("find_customer", "Find a customer.", {"type": "object", "properties": {"query": {"type": "string"}}})
Connect = Callable[..., Any]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect, None]:
    """Starts a backend on a server; both are stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(server: OllamaServer, model: str = "qwen3:8b", **settings: Any) -> Ollama:
            await stack.enter_async_context(server)
            backend = create(model, LlmSettings(ollama_host=server.url, **settings))
            await backend.start()
            stack.push_async_callback(backend.stop)
            return backend

        yield start


async def test_each_token_leaves_before_the_next_one_is_made(connect: Connect):
    gate = asyncio.Semaphore(0)
    backend = await connect(OllamaServer([Reply(pieces=["a", "b", "c"], gate=gate)]))
    async with aclosing(backend.stream(ASK)) as deltas:
        for expected in "abc":
            assert (await anext(deltas)).text == expected  # the server makes the next one only after this
            gate.release()
        assert (await anext(deltas)).finish == "stop"


@pytest.mark.parametrize("cut_bytes", [1, 2, 3, 7, 64])
async def test_an_answer_is_the_same_wherever_its_bytes_are_cut(connect: Connect, cut_bytes: int):
    pieces = ["Grüße", " 💶", " an", "\n", "日本", "\u2028", "\x85", '"q"']
    backend = await connect(OllamaServer([Reply(pieces=pieces)], cut_bytes=cut_bytes))
    answer = await whole(backend.stream(ASK))
    assert answer.pieces == pieces
    assert answer.last.usage == Usage(input_tokens=2, output_tokens=len(pieces))


async def test_calls_of_one_step_arrive_together_with_ids_of_their_own(connect: Connect):
    calls = [("find_customer", {"query": "ACME"}), ("find_customer", {"query": "Globex"})]
    backend = await connect(OllamaServer([Reply(pieces=["Looking."], calls=calls)]))
    answer = await whole(backend.stream(ASK, tools=[FIND]))
    assert answer.text == "Looking."
    assert [(call.tool, call.arguments) for call in answer.calls] == calls
    assert len({call.id for call in answer.calls}) == 2
    assert answer.last.finish == "tool_calls"


async def test_what_is_sent_keeps_the_whole_conversation_and_the_whole_schema(connect: Connect):
    server = OllamaServer()
    backend = await connect(server, temperature=0.25, max_tokens=99)
    line = {"type": "object", "properties": {"sku": {"type": "string", "minLength": 1}}}
    nested: dict[str, Any] = {
        "type": "object",
        "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}},
        "$defs": {"Line": line},
    }
    call = ToolCall(id="call_1", tool="draft_invoice", arguments={"lines": [{"sku": "A"}]})
    conversation = [
        *ASK,
        ChatMessage(role="assistant", calls=(call,)),
        ChatMessage(role="tool", content="drafted", call_id="call_1", tool="draft_invoice"),
    ]
    await whole(backend.stream(conversation, tools=[ToolSpec("draft_invoice", "Draft.", nested)], seed=7))
    (asked,) = server.asked
    assert asked["tools"][0]["function"]["parameters"]["properties"]["lines"]["items"] == line
    assert asked["messages"][1]["tool_calls"] == [
        {"id": "call_1", "function": {"name": "draft_invoice", "arguments": {"lines": [{"sku": "A"}]}}}
    ]
    assert asked["messages"][2] == {
        "role": "tool",
        "content": "drafted",
        "tool_name": "draft_invoice",
        "tool_call_id": "call_1",
    }
    assert asked["options"] == {"num_ctx": 8192, "num_predict": 99, "temperature": 0.25, "seed": 7}
    assert asked["keep_alive"] == "30m"
    assert asked["truncate"] is asked["shift"] is False


async def test_a_schema_is_sent_as_the_format(connect: Connect):
    server = OllamaServer()
    backend = await connect(server)
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    await whole(backend.stream(ASK, schema=schema))
    assert server.asked[0]["format"] == schema
    assert "tools" not in server.asked[0]


async def test_what_the_server_knows_about_the_model_is_taken_over(connect: Connect):
    models = {"qwen3:8b": Model(digest="sha256:abc", context_length=4096)}
    backend = await connect(OllamaServer(models=models))
    assert backend.digest == "sha256:abc"
    assert backend.context_tokens == 4096
    assert backend.native_tools


async def test_a_model_without_a_tag_is_the_latest(connect: Connect):
    models = {"qwen3": Model(), "qwen3:latest": Model(digest="sha256:new")}
    assert (await connect(OllamaServer(models=models), "qwen3")).digest == "sha256:new"


@pytest.mark.parametrize(
    ("tools", "capabilities", "native"),
    [
        ("auto", ("completion", "tools"), True),
        ("auto", ("completion",), False),
        ("schema", ("completion", "tools"), False),
        ("native", ("completion",), True),
    ],
)
async def test_tool_calls_are_native_where_trusted_or_configured(
    connect: Connect, tools: str, capabilities: tuple[str, ...], native: bool
):
    server = OllamaServer(models={"qwen3:8b": Model(capabilities=capabilities)})
    assert (await connect(server, tools=tools)).native_tools is native


@pytest.mark.parametrize(
    ("model", "size", "trusted"),
    [
        ("qwen3:8b", "8.2B", True),
        ("library/qwen3:8b", "8.2B", True),
        ("qwen3:0.6b", "751.63M", False),
        ("qwen2.5-coder:7b", "7.6B", False),
        ("someone/qwen3:8b", "8.2B", False),
        ("qwen3:8b", "", False),
    ],
)
def test_only_models_known_to_call_tools_are_trusted(model: str, size: str, trusted: bool):
    assert is_trusted(model, size) is trusted


@pytest.mark.parametrize(
    ("family", "think", "sent"),
    [("qwen3", False, False), ("qwen3", True, True), ("gptoss", False, "low"), ("gptoss", True, True)],
)
async def test_a_thinking_model_thinks_only_when_asked_to(connect: Connect, family: str, think: bool, sent: object):
    model = Model(family=family, capabilities=("completion", "thinking"))
    server = OllamaServer([Reply(thinking=["Hm."], pieces=["Yes."])], models={"qwen3:8b": model})
    backend = await connect(server, think=think)
    assert (await whole(backend.stream(ASK))).text == "Yes."  # its thoughts are not part of the answer
    assert server.asked[0]["think"] == sent


async def test_a_model_that_cannot_think_is_not_told_about_it(connect: Connect):
    server = OllamaServer()
    await whole((await connect(server)).stream(ASK))
    assert "think" not in server.asked[0]


async def test_a_warm_prefix_is_read_before_the_first_question():
    async with OllamaServer() as server:
        backend = create("qwen3:8b", LlmSettings(ollama_host=server.url))
        await backend.start(warm_prefix=[ChatMessage(role="system", content="You are a clerk.")])
        await backend.stop()
        assert server.asked[0]["messages"] == [{"role": "system", "content": "You are a clerk."}]
        assert server.asked[0]["options"]["num_predict"] == 1


async def test_a_missing_model_is_told_with_the_command_that_fetches_it(connect: Connect):
    with pytest.raises(ModelNotFound, match=r"has no model 'qwen3:8b'\. Fetch it with `ollama pull qwen3:8b`\."):
        await connect(OllamaServer(models={}))


async def test_a_server_that_is_down_is_told_with_its_address():
    server = OllamaServer()
    async with server:
        host = server.url
    backend = create("qwen3:8b", LlmSettings(ollama_host=host))
    with pytest.raises(ModelUnavailable, match=rf"Is Ollama running\?.*`ollama serve`.*OLLAMA_HOST \(now {host}\)"):
        await backend.start()


async def test_an_ollama_that_would_shorten_conversations_silently_is_refused(connect: Connect):
    with pytest.raises(ModelUnavailable, match=r"Ollama 0\.12\.5 is too old"):
        await connect(OllamaServer(version="0.12.5"))


async def test_an_ollama_of_ones_own_build_is_taken(connect: Connect):
    assert (await connect(OllamaServer(version="0.0.0"))).digest


async def test_a_conversation_that_is_too_long_is_refused_not_shortened(connect: Connect):
    backend = await connect(OllamaServer(), context_tokens=512)
    with pytest.raises(ContextOverflow, match=r"longer than 'qwen3:8b' can read\. It reads 512 tokens here"):
        await whole(backend.stream([ChatMessage(role="user", content="word " * 600)]))


async def test_a_busy_server_is_asked_again(connect: Connect):
    server = OllamaServer([Reply(status=503, error="server busy"), Reply(pieces=["Yes."])])
    backend = await connect(server)
    assert (await whole(backend.stream(ASK))).text == "Yes."
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        ("error", "failed in the middle of its answer: an error was encountered"),
        ("reset", "stopped in the middle of its answer"),
        ("end", "ended its answer without saying that it was done"),
        ("garbage", "stopped in the middle of its answer"),
    ],
)
async def test_an_answer_that_breaks_off_is_told_and_not_begun_again(connect: Connect, breaks: str, message: str):
    server = OllamaServer([Reply(pieces=["It ", "was"], breaks=breaks, error="an error was encountered")])
    backend = await connect(server)
    got = Answer()
    with pytest.raises(StreamBroken, match=message):
        await whole(backend.stream(ASK), got)
    assert got.pieces == ["It ", "was"]
    assert len(server.asked) == 1


async def test_what_is_no_ollama_at_all_is_malformed(connect: Connect):
    server = OllamaServer([Reply(breaks="garbage")])
    backend = await connect(server)
    with pytest.raises(MalformedAnswer, match="does not answer as a model server does"):
        await whole(backend.stream(ASK))


async def test_a_failure_of_the_model_is_passed_on_in_its_words(connect: Connect):
    backend = await connect(OllamaServer([Reply(status=500, error="llama runner process has terminated")]))
    with pytest.raises(ModelError, match="llama runner process has terminated"):
        await whole(backend.stream(ASK))


async def test_closing_the_answer_hangs_up_on_the_server(connect: Connect):
    server = OllamaServer([Reply(pieces=["a", "b"], gate=asyncio.Semaphore(0))])
    backend = await connect(server)
    deltas = backend.stream(ASK)
    assert (await anext(deltas)).text == "a"
    await deltas.aclose()
    await asyncio.wait_for(server.http.abandoned_one.wait(), 5)
    assert server.http.abandoned == 1


async def test_three_hundred_answers_come_at_once(connect: Connect):
    gate = asyncio.Semaphore(0)
    server = OllamaServer(default=Reply(pieces=["a", "b"], gate=gate))
    backend = await connect(server)
    streams = [backend.stream(ASK) for _ in range(300)]
    firsts = await asyncio.gather(*(anext(stream) for stream in streams))  # none of them has ended yet
    assert {delta.text for delta in firsts} == {"a"}
    assert server.http.streaming == 300
    for _ in streams:
        gate.release()
    rests = await asyncio.gather(*(whole(stream) for stream in streams))
    assert {rest.text for rest in rests} == {"b"}


async def test_a_stopped_backend_can_be_started_again(connect: Connect):
    backend = await connect(OllamaServer())
    await backend.stop()
    with pytest.raises(ModelError, match="was not started"):
        await whole(backend.stream(ASK))
    await backend.start()
    assert (await whole(backend.stream(ASK))).text == "Hello, world."
