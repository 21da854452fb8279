"""The official client against a served app: answers, streams, errors, structured output, conversations."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from prisma import Prisma
from tests.support.server_process import Server

pytestmark = pytest.mark.service

MODEL = "deskclerk"
HELLO = "Hello, how can I help you \u2028 today?"


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def said(text: str) -> Any:
    return {"role": "assistant", "content": text}


def ask(client: OpenAI, *messages: Any, **options: Any) -> ChatCompletion:
    create: Any = client.chat.completions.create
    return create(model=MODEL, messages=messages, **options)


def read_all(client: OpenAI, *messages: Any, **options: Any) -> list[Any]:
    """A stream's chunks to its end, or the answer as the only one."""
    reply: Any = ask(client, *messages, **options)
    return list(reply) if options["stream"] else [reply]


def answer(completion: ChatCompletion) -> str:
    return completion.choices[0].message.content or ""


def thread_of(client: OpenAI, *messages: Any, **options: Any) -> tuple[str, str]:
    """The answer, and the thread that it belongs to."""
    create: Any = client.chat.completions.with_raw_response.create
    raw = create(model=MODEL, messages=messages, **options)
    return answer(raw.parse()), raw.headers["x-deskclerk-thread-id"]


def data_lines(body: bytes) -> list[str]:
    """The data of a stream, which must be nothing but `data:` lines, each ended by one empty line."""
    text = body.decode()
    assert re.fullmatch(r"(?:data: [^\n\r]+\n\n)+", text)
    return [block.removeprefix("data: ") for block in text.removesuffix("\n\n").split("\n\n")]


def test_an_answer_comes_whole_with_its_usage(client: OpenAI):
    completion = ask(client, user("hello"))
    assert (completion.object, completion.id[:9]) == ("chat.completion", "chatcmpl-")
    assert (answer(completion), completion.choices[0].finish_reason) == (HELLO, "stop")
    usage = completion.usage
    assert usage is not None
    assert usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_gives_the_same_answer_piece_by_piece(client: OpenAI):
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=[user("slowly")], stream=True, stream_options={"include_usage": True}
        )
    )
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(pieces) > 3
    assert "".join(pieces) == "one two three four five six seven eight"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert (chunks[-1].choices, [chunk.usage is None for chunk in chunks]) == ([], [True] * (len(chunks) - 1) + [False])
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_asynchronous_client_streams_many_at_once(async_client: AsyncOpenAI):
    async def one() -> str:
        stream = await async_client.chat.completions.create(model=MODEL, messages=[user("slowly")], stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert set(await asyncio.gather(*(one() for _ in range(6)))) == {"one two three four five six seven eight"}


async def test_a_stream_is_nothing_but_data_lines_and_done(chat_http: httpx.AsyncClient):
    body = {"model": MODEL, "messages": [user("a while")], "stream": True}
    reply = await chat_http.post("/v1/chat/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    lines = data_lines(reply.content)
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert all("usage" not in chunk for chunk in chunks)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert {} in deltas[:-1]  # the heartbeat of a silence: a chunk that says nothing
    assert "".join(delta.get("content", "") for delta in deltas) == "at last"


def test_tools_are_called_inside_and_texts_of_steps_are_set_apart(client: OpenAI):
    completion = ask(client, user("look up ACME"))
    assert answer(completion) == "I look.\n\nDone."
    assert completion.choices[0].message.tool_calls is None


def test_models_are_listed_and_found(client: OpenAI):
    (model,) = client.models.list().data
    assert client.models.retrieve(model.id).id == model.id
    assert answer(client.chat.completions.create(model=model.id, messages=[user("hello")])) == HELLO
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("gpt-7")
    assert missing.value.code == "model_not_found"


# ------------------------------------------------------------ one conversation is one thread


def test_a_conversation_that_goes_on_is_the_same_thread(client: OpenAI, chat_server: Server):
    first, thread = thread_of(client, user("look up ACME, first"))
    second, same = thread_of(client, user("look up ACME, first"), said(f"  {first}\n"), user("hello again"))
    third, still = thread_of(
        client,
        {"role": "system", "content": "It is 17:02."},
        user("look up ACME, first"),
        said(first),
        user("hello again"),
        said(second),
        user("and so on"),
    )
    assert (same, still, third) == (thread, thread, "Done.")
    runs = httpx.get(f"{chat_server.url}/v1/threads/{thread}").json()["runs"]
    assert len(runs) == 3


def test_another_past_is_another_thread_that_knows_what_was_said(client: OpenAI, chat_server: Server):
    first, thread = thread_of(client, user("hello, who are you?"))
    _, other = thread_of(client, user("hello, who are you?"), said(first + " Or not."), user("hello"))
    assert other != thread
    shown = httpx.get(f"{chat_server.url}/v1/threads/{other}").json()
    assert [message["content"] for message in shown["messages"]][:2] == ["hello, who are you?", first + " Or not."]
    assert shown["title"] == "hello, who are you?"


async def test_words_of_the_user_are_the_users_and_claimed_answers_are_made_up(client: OpenAI, db: Prisma):
    ask(client, user("My invoice is INV-2026-0010."), said("And INV-2026-0011 is ours."), user("pay INV-2026-0011 now"))
    ask(
        client,
        user("My invoice is INV-2026-0010."),
        said("And INV-2026-0011 is."),
        user("now pay it: pay INV-2026-0010"),
    )
    rows = {row.arguments["invoice"]: row.origins for row in await db.approval.find_many()}  # pyright: ignore
    assert rows["INV-2026-0010"] == {"invoice": "user"}


async def test_a_claimed_answer_alone_makes_a_value_the_models(client: OpenAI, db: Prisma):
    before = {row.id for row in await db.approval.find_many()}
    ask(
        client, user("Which is open?"), said("INV-2026-0006 is."), user("Then do as I say: draft nothing, look up ACME")
    )
    assert {row.id for row in await db.approval.find_many()} == before
    thread = await db.thread.find_first_or_raise(where={"title": "Which is open?"})
    (run,) = await db.run.find_many(where={"thread_id": thread.id})
    assert run.state is not None
    known = run.state["grounding"]["known"]  # pyright: ignore
    assert known["ref:invoice"]["INV-2026-0006"] == "model"


async def test_what_was_done_is_not_done_again_for_another_answer(client: OpenAI, db: Prisma):
    words = "For cus_acme, two WID-1001: draft it."
    before = await db.invoice.count()
    first, thread = thread_of(client, user(words))
    again, same = thread_of(client, user(words))
    assert (first, again, same) == ("Done.", "Done.", thread)
    assert await db.invoice.count() == before + 1
    third, still = thread_of(client, user(words), said(first), user("And again, draft it."))
    assert (third, still) == ("Done.", thread)
    assert await db.invoice.count() == before + 2  # asked for in new words


async def test_the_clients_own_retry_finds_the_run_that_it_did_not_hear_of(client: OpenAI, db: Prisma):
    words = [user("For cus_acme, three WID-1001 and a retry: draft it.")]
    before = await db.invoice.count()
    first = thread_of(client, *words)
    retried = thread_of(client, *words, extra_headers={"x-stainless-retry-count": "1"})
    assert first == retried
    assert await db.invoice.count() == before + 1


async def test_a_key_makes_a_request_once_even_at_the_same_moment(async_client: AsyncOpenAI, db: Prisma):
    before = await db.invoice.count()
    key = {"Idempotency-Key": "order-77"}
    words = user("For cus_acme, order 77, WID-1001: draft it.")

    async def once() -> str:
        completion = await async_client.chat.completions.create(model=MODEL, messages=[words], extra_headers=key)
        return completion.choices[0].message.content or ""

    assert await asyncio.gather(*(once() for _ in range(4))) == ["Done."] * 4
    assert await db.invoice.count() == before + 1
    with pytest.raises(openai.UnprocessableEntityError) as conflict:
        await async_client.chat.completions.create(model=MODEL, messages=[user("hello")], extra_headers=key)
    assert conflict.value.code == "idempotency_conflict"


# ------------------------------------------------------------ a client that leaves


async def _run_of(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    return (await http.get(f"/v1/runs/{run_id}")).json()


async def _settled(http: httpx.AsyncClient, run_id: str) -> str:
    for _ in range(100):
        if (status := (await _run_of(http, run_id))["status"]) not in ("queued", "running"):
            return str(status)
        await asyncio.sleep(0.05)
    raise AssertionError("the run goes on")


async def test_a_client_that_stops_reading_cancels_its_run(chat_http: httpx.AsyncClient):
    body = {"model": MODEL, "messages": [user("forever, streamed")], "stream": True}
    async with chat_http.stream("POST", "/v1/chat/completions", json=body) as reply:
        run_id = reply.headers["x-deskclerk-run-id"]
        async for chunk in reply.aiter_raw():
            if b"tick" in chunk:
                break
    assert await _settled(chat_http, run_id) == "cancelled"


async def test_a_client_that_gives_up_waiting_cancels_its_run(chat_http: httpx.AsyncClient, db: Prisma):
    body = {"model": MODEL, "messages": [user("forever, whole")]}
    with pytest.raises(httpx.ReadTimeout):
        await chat_http.post("/v1/chat/completions", json=body, timeout=0.5)
    run = await db.run.find_first_or_raise(where={"input": "forever, whole"})
    assert await _settled(chat_http, run.id) == "cancelled"


# ------------------------------------------------------------ forms of answers


class Open(BaseModel):
    customer: str
    open: int


def test_an_answer_in_a_schema_is_validated_and_parsed(client: OpenAI):
    parsed = client.chat.completions.parse(model=MODEL, messages=[user("as json please")], response_format=Open)
    assert parsed.choices[0].message.parsed == Open(customer="ACME", open=2)
    assert parsed.choices[0].message.content == '{"customer":"ACME","open":2}'


def test_a_model_that_misses_the_schema_is_asked_again(client: OpenAI):
    parsed = client.chat.completions.parse(model=MODEL, messages=[user("mended json")], response_format=Open)
    assert parsed.choices[0].message.parsed == Open(customer="ACME", open=2)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_no_json_is_an_error_and_never_an_answer(client: OpenAI, stream: bool):
    with pytest.raises(openai.APIError) as failed:
        read_all(client, user("never json"), response_format={"type": "json_object"}, stream=stream)
    assert failed.value.code == "malformed_answer"


@pytest.mark.parametrize(
    "schema", [{"type": 12}, {"$ref": "https://example.com/schema.json"}, {"properties": {"a": {"pattern": "("}}}]
)
def test_a_schema_that_cannot_be_used_is_refused(client: OpenAI, schema: Any):
    form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, user("as json"), response_format=form)
    assert (refused.value.code, refused.value.param) == (
        "invalid_json_schema",
        "response_format.json_schema.schema",
    )


def test_an_answer_ends_before_a_stop_sequence(client: OpenAI):
    assert answer(ask(client, user("slowly"), stop=["six", " four fi"])) == "one two three"


def test_an_answer_that_is_cut_off_says_so(client: OpenAI):
    completion = ask(client, user("slowly"), max_tokens=3)
    assert completion.choices[0].finish_reason == "length"
    assert answer(completion).startswith("one two three")


def test_a_file_in_the_message_is_a_document_of_the_run(client: OpenAI, chat_server: Server):
    data = base64.b64encode(b"Order PO-7: 2 chairs").decode()
    file = {"type": "file", "file": {"filename": "../po 7.txt", "file_data": f"data:text/plain;base64,{data}"}}
    message: Any = {"role": "user", "content": [{"type": "text", "text": "hello"}, file]}
    assert answer(ask(client, message)) == HELLO
    names = [item["name"] for item in httpx.get(f"{chat_server.url}/v1/documents").json()["data"]]
    assert "po 7.txt" in names


# ------------------------------------------------------------ errors


PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"n": 2}, 400, "unsupported_parameter", "n"),
        ({"logprobs": True}, 400, "unsupported_parameter", "logprobs"),
        ({"tool_choice": "required"}, 400, "unsupported_parameter", "tool_choice"),
        ({"modalities": ["text", "audio"]}, 400, "unsupported_parameter", "modalities"),
        ({"messages": []}, 400, None, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, None, "messages.0.role"),
        ({"messages": [user("hello"), said("hi")]}, 400, "invalid_messages", "messages"),
        ({"messages": [user("")]}, 400, "invalid_messages", "messages"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, 400, "unsupported_content", "messages.0.content.0"),
        ({"messages": [user("x" * 20_001)]}, 400, "context_length_exceeded", None),
        ({"max_tokens": 0}, 400, None, "max_tokens"),
        ({"model": "gpt-7"}, 404, "model_not_found", "model"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_not_possible_is_told_in_openais_form(
    chat_http: httpx.AsyncClient, body: dict[str, Any], status: int, code: str | None, param: str | None
):
    reply = await chat_http.post("/v1/chat/completions", json={"model": MODEL, "messages": [user("hello")], **body})
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/json")
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"], error["type"]) == (code, param, "invalid_request_error")
    assert reply.headers["x-request-id"]


async def test_a_body_that_is_too_large_or_no_json_is_told_so_too(chat_http: httpx.AsyncClient):
    address = chat_http.base_url
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000000\r\n\r\n")
    head, _, large = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(large)["error"]["code"] == "body_too_large"
    broken = await chat_http.post("/v1/chat/completions", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")


def test_fields_that_nobody_knows_are_ignored(client: OpenAI):
    completion = ask(
        client,
        user("hello"),
        temperature=0.7,
        top_p=0.9,
        user="u-1",
        metadata={"a": "b"},
        extra_body={"chat_id": "1", "nonsense": [1]},
    )
    assert answer(completion) == HELLO


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_goes_away_is_an_error_of_the_server(client: OpenAI, stream: bool):
    with pytest.raises(openai.APIError) as failed:
        read_all(client, user("break"), stream=stream)
    assert failed.value.code == "stream_broken"
    if not stream:
        assert isinstance(failed.value, openai.InternalServerError)
        assert failed.value.status_code == 502


async def test_an_error_in_the_middle_of_a_stream_is_its_last_chunk(chat_http: httpx.AsyncClient):
    body = {"model": MODEL, "messages": [user("break")], "stream": True}
    lines = data_lines((await chat_http.post("/v1/chat/completions", json=body)).content)
    assert lines[-1] == "[DONE]"
    assert json.loads(lines[-2]) == {
        "error": {"message": "It went away.", "type": "server_error", "param": None, "code": "stream_broken"}
    }
