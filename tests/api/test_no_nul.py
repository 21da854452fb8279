"""The character U+0000, which PostgreSQL keeps in no text, is refused wherever text is sent, and only there."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from api.middleware.no_nul import NoNul, holds_nul
from api.problems import Problem
from api.socket.messages import Misunderstood, parse
from tests.api.test_sockets import talk
from tests.support.server_process import Server

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("text", "held"),
    [("a", False), ("\0", True), ("a\\u0000", False), ("\\\0", True), ("\\", False), ("\u0001", False)],
)
def test_a_zero_is_found_as_json_has_it_and_nothing_that_looks_alike(text: str, *, held: bool):
    body = json.dumps({"a": [text]}).encode()
    assert holds_nul(body) is held
    assert ("\0" in json.loads(body)["a"][0]) is held


async def passes(*pieces: bytes, kind: str = "application/json") -> bool:
    """Whether a body in these pieces reaches the application."""
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in pieces:
            await receive()

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "path": "/", "query_string": b"", "headers": headers}
    try:
        await NoNul(read)(scope, receive, send)
    except Problem as problem:
        return problem.code != "malformed_request"
    return True


@pytest.mark.parametrize("cut", range(1, 12))
async def test_it_is_found_wherever_the_body_is_cut(cut: int):
    holds, alike = rb'{"a":"\\\u0000"}', rb'{"a":"\\u0000"}'
    assert not await passes(holds[:cut], holds[cut:])
    assert await passes(alike[:cut], alike[cut:])
    form = b"user=a%00&x=y"
    assert not await passes(form[:cut], form[cut:], kind=FORM["Content-Type"])


async def test_a_file_may_hold_it():
    assert await passes(b"\0\\u0000%00", kind="multipart/form-data; boundary=b")


def test_a_message_on_a_socket_holds_none():
    with pytest.raises(Misunderstood) as wrong:
        parse(json.dumps({"type": "send", "input": "a\0"}))
    assert wrong.value.code == "invalid_message"
    parse(json.dumps({"type": "send", "input": "a\\u0000"}))


@pytest.mark.service
@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        ("GET", "/v1/documents?after=a%00", {}),
        ("GET", "/v1/threads/a%00", {}),
        ("POST", "/v1/threads", {"json": {"title": "a\0"}}),
        ("POST", "/v1/chat/completions", {"json": {"messages": [{"role": "user", "content": "\0"}]}}),
        ("POST", "/v1/auth/token", {"content": b"grant_type=password&username=a%00&password=b", "headers": FORM}),
    ],
)
async def test_a_server_says_so(http: httpx.AsyncClient, method: str, path: str, request_: dict[str, Any]):
    answer = await http.request(method, path, **request_)
    assert answer.status_code == 400, answer.text
    assert "U+0000" in answer.text


@pytest.mark.service
async def test_a_socket_stays_open(server: Server, http: httpx.AsyncClient):
    thread = (await http.post("/v1/threads")).json()["id"]
    async with talk(server, thread) as clerk:
        await clerk.say(type="send", input="a\0")
        assert (await clerk.hear())["code"] == "invalid_message"
        await clerk.say(type="ping")
        assert (await clerk.hear())["type"] == "pong"
