"""Streams of runs, of chats and sockets take from the same open streams; what is said on sockets counts as requests."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.api.conftest import SCRIPT
from tests.api.test_sockets import Talk, talk
from tests.support.arena import PASSWORD, people
from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.service

Kind = Literal["run", "chat", "socket"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STREAM = {"Accept": "text/event-stream"}
BOUND = {"user": 2, "key": 1}
SETTINGS = {
    "DESKCLERK_LIMITS_MODE": "on",
    "DESKCLERK_SHUTDOWN_SECONDS": "1",  # some run for ever
    "DESKCLERK_LIMITS_STREAMS_USER": str(BOUND["user"]),
    "DESKCLERK_LIMITS_STREAMS_KEY": str(BOUND["key"]),
    "DESKCLERK_LIMITS_BY_ROLE": json.dumps({"viewer": {"user": "12/day", "tokens_user": "1/day"}}),
}


class Person:
    """Somebody who has signed in, or shows a key."""

    def __init__(self, http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> None:
        self.http, self.url, self.headers = http, url, headers

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.post(path, headers=self.headers, **options)

    async def new_thread(self) -> str:
        return str((await self.post("/v1/threads", json={})).raise_for_status().json()["id"])

    def asks(self, kind: Literal["run", "chat"], thread: str, words: str) -> dict[str, Any]:
        if kind == "run":
            body: dict[str, Any] = {"input": words}
            return {"url": f"/v1/threads/{thread}/runs", "json": body, "headers": {**self.headers, **STREAM}}
        body = {"model": "deskclerk", "stream": True, "messages": [{"role": "user", "content": words}]}
        return {"url": "/v1/chat/completions", "json": body, "headers": self.headers}

    @asynccontextmanager
    async def holds(self, kind: Kind) -> AsyncGenerator[None]:
        """A stream of theirs, open within the block. Of a run, it ends when the run is cancelled."""
        thread = await self.new_thread()
        if kind == "socket":
            async with connect(f"{self.url}/v1/threads/{thread}/ws", additional_headers=self.headers) as socket:
                await socket.recv()
                yield
            return
        async with self.http.stream("POST", **self.asks(kind, thread, f"forever {thread}")) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield

    async def refusal(self, kind: Kind) -> tuple[int, str, str]:
        """Status, code and `Retry-After` of a stream that may not open; 200 or 101 of one that may."""
        thread = await self.new_thread()
        if kind == "socket":
            try:
                async with connect(f"{self.url}/v1/threads/{thread}/ws", additional_headers=self.headers):
                    return 101, "", ""
            except InvalidStatus as refused:
                answer = refused.response
                return answer.status_code, json.loads(answer.body)["code"], answer.headers["retry-after"]
        answer = await self.http.post(**self.asks(kind, thread, "hello"))
        if answer.status_code == 200:
            return 200, "", ""
        said = answer.json().get("error", answer.json())
        return answer.status_code, said["code"], answer.headers["retry-after"]


@pytest.fixture(scope="module")
def limited(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    folder = tmp_path_factory.mktemp("limited")
    url, script = f"file:{folder / 'desk.db'}", folder / "script.json"
    shutil.copyfile(database_template, folder / "desk.db")
    script.write_text(json.dumps(SCRIPT))
    asyncio.run(people(url))
    with run_server({"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": url, **SETTINGS}, folder=folder) as server:
        yield server


@asynccontextmanager
async def signed_in(server: Server, name: str) -> AsyncGenerator[Person]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        form = {"grant_type": "password", "username": name, "password": PASSWORD}
        token = (await http.post("/v1/auth/token", data=form)).raise_for_status().json()["access_token"]
        yield Person(http, server.url.replace("http://", "ws://"), {"Authorization": f"Bearer {token}"})


async def opens_soon(person: Person, kind: Kind) -> bool:
    """Whether a stream opens; the server hears a moment later that one was closed."""
    for _ in range(100):
        if (await person.refusal(kind))[0] < 400:
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.parametrize("held", [("run", "chat"), ("chat", "socket"), ("socket", "run")])
async def test_a_user_has_so_many_open_of_all_kinds_together(limited: Server, held: tuple[Kind, Kind]):
    async with signed_in(limited, "ann") as ann, signed_in(limited, "boss") as boss:
        first, second = held
        async with ann.holds(first):
            async with ann.holds(second):
                for kind in KINDS:
                    assert await ann.refusal(kind) == (429, "too_many_streams", "5"), kind
                assert (await boss.refusal("chat"))[0] == 200  # nobody else minds
            for kind in KINDS:
                assert await opens_soon(ann, kind), kind


async def test_a_key_has_its_own_bound_within_its_users(limited: Server):
    async with signed_in(limited, "boss") as boss:
        made = await boss.post("/v1/auth/keys", json={"name": "k", "scopes": ["read", "runs"]})
        key = Person(boss.http, boss.url, {"Authorization": f"Bearer {made.json()['key']}"})
        for kind in KINDS:
            async with key.holds(kind):
                for other in KINDS:
                    assert await key.refusal(other) == (429, "too_many_streams", "5"), (kind, other)
                assert (await boss.refusal("socket"))[0] == 101  # the user has one more, without the key
            assert await opens_soon(key, "chat"), kind


async def test_a_request_that_is_refused_leaves_its_stream_to_others(limited: Server):
    """More often than there are streams."""
    async with signed_in(limited, "ann") as ann:
        for _ in range(BOUND["user"] + 1):
            lost = {"model": "deskclerk", "stream": True, "messages": [{"role": "user", "content": "x" * 20_001}]}
            assert (await ann.post("/v1/chat/completions", json=lost)).status_code == 400
            missing = await ann.http.post("/v1/threads/none/runs", json={"input": "x"}, headers=ann.headers | STREAM)
            assert missing.status_code == 404
            assert "404" in str(await socket_refused(ann))
        assert await opens_soon(ann, "chat")


async def socket_refused(person: Person) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{person.url}/v1/threads/none/ws", additional_headers=person.headers):
            pass
    return refused.value


async def test_what_is_said_on_a_socket_and_in_a_chat_counts_as_requests_and_tokens(limited: Server):
    """Vera has 12 requests a day, and one token: her first run goes beyond it, and is her last."""
    async with signed_in(limited, "vera") as vera:
        thread = await vera.new_thread()  # 1
        async with talk(limited, thread, additional_headers=vera.headers) as clerk:  # 2
            await clerk.say(type="send", input="hello", ref="a")  # 3
            assert (await clerk.until("run.finished"))[-1]["data"]["status"] == "succeeded"
            error = await refused_when_charged(clerk)  # 4 and on
            assert (error["code"], error["retry_after"] > 1) == ("tokens_exhausted", True)
            answer = await vera.http.post(**vera.asks("chat", "", "hello"))
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "tokens_exhausted")
            assert int(answer.headers["retry-after"]) > 1
            left = int(answer.headers["ratelimit"].split("r=")[-1].split(";")[0])
            for _ in range(left):
                await clerk.say(type="ping")
                assert (await clerk.hear())["type"] == "pong"
            await clerk.say(type="ping", ref="z")
            error = await clerk.hear()
            assert (error["type"], error["code"], error["ref"]) == ("error", "rate_limited", "z")
            assert error["retry_after"] >= 1
        answer = await vera.http.post(**vera.asks("chat", "", "hello"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert (await socket_refused(vera)).response.status_code == 429


async def refused_when_charged(clerk: Talk) -> dict[str, Any]:
    """The run is charged a moment after its end is told."""
    for _ in range(4):
        await asyncio.sleep(0.2)
        await clerk.say(type="send", input="hello", ref="b")
        heard = await clerk.hear()
        if heard["type"] == "error":
            return heard
        await clerk.until("run.finished")
    raise AssertionError("It was never refused.")
