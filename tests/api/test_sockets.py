"""A conversation over a WebSocket on a real server: the same events as everywhere, resumable, guarded."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.test_served_runs import events_of, new_thread
from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.service

Heard = dict[str, Any]


class Talk:
    """One open socket, as a client has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> Heard:
        async with asyncio.timeout(30):
            return json.loads(await self.socket.recv())

    async def until(self, kind: str) -> list[Heard]:
        """Everything up to the first message, or event, of this type."""
        heard = [await self.hear()]
        while kind not in (heard[-1]["type"], heard[-1].get("event")):
            heard.append(await self.hear())
        return heard


@asynccontextmanager
async def talk(server: Server, thread: str, **options: Any) -> AsyncGenerator[Talk]:
    url = server.url.replace("http://", "ws://")
    async with connect(f"{url}/v1/threads/{thread}/ws", **options) as socket:
        opened = Talk(socket)
        assert await opened.hear() == {"type": "hello", "thread_id": thread}
        yield opened


def sequences(heard: list[Heard]) -> list[int]:
    return [message["sequence"] for message in heard if message["type"] == "event"]


async def test_a_socket_tells_the_same_events_as_a_stream(server: Server, http: httpx.AsyncClient):
    thread = await new_thread(http)
    async with talk(server, thread, subprotocols=["deskclerk.v1"]) as clerk:
        assert clerk.socket.subprotocol == "deskclerk.v1"
        await clerk.say(type="send", input="look up ACME", ref="a")
        accepted, *events = await clerk.until("run.finished")
    assert (accepted["type"], accepted["ref"]) == ("accepted", "a")
    streamed = events_of((await http.get(f"/v1/runs/{accepted['run_id']}/events")).content)
    assert [(event["sequence"], event["event"], event["data"]) for event in events] == streamed
    assert {event["run_id"] for event in events} == {accepted["run_id"]}


async def test_a_call_is_approved_on_the_socket_and_the_run_goes_on_there(server: Server, http: httpx.AsyncClient):
    async with talk(server, await new_thread(http)) as clerk:
        await clerk.say(type="send", input="Please pay INV-2026-0006 now.")
        heard = await clerk.until("run.finished")
        asked = next(event["data"] for event in heard if event.get("event") == "approval.required")
        word = {"approval_id": asked["approval_id"], "digest": asked["digest"]}
        await clerk.say(type="approve", ref="b", **{**word, "digest": "0" * 64})
        assert (await clerk.hear())["code"] == "approval_digest_mismatch"
        await clerk.say(type="approve", ref="c", **word)
        more = await clerk.until("run.finished")
        assert {"decided"} <= {message["type"] for message in more}
        assert more[-1]["data"]["status"] == "succeeded"
        numbers = sequences([*heard, *more])
        assert numbers == list(range(1, len(numbers) + 1))
        await clerk.say(type="reject", **word)
        assert (await clerk.hear())["code"] == "approval_not_pending"


async def test_a_decision_made_elsewhere_is_heard_on_the_socket(server: Server, http: httpx.AsyncClient):
    async with talk(server, await new_thread(http)) as clerk:
        await clerk.say(type="send", input="Please pay INV-2026-0007 now.")
        asked = next(m["data"] for m in await clerk.until("run.finished") if m.get("event") == "approval.required")
        body = {"decision": "reject", "digest": asked["digest"], "reason": "no"}
        await http.post(f"/v1/approvals/{asked['approval_id']}", json=body)
        assert (await clerk.until("run.finished"))[-1]["data"]["status"] == "succeeded"


async def test_several_runs_are_followed_on_one_socket_and_one_is_cancelled(server: Server, http: httpx.AsyncClient):
    thread = await new_thread(http)
    async with talk(server, thread) as clerk:
        await clerk.say(type="send", input="forever", ref="first")
        first = (await clerk.until("accepted"))[-1]["run_id"]
        await clerk.say(type="send", input="hello", ref="second", multitask="enqueue")
        second = (await clerk.until("accepted"))[-1]["run_id"]
        await clerk.say(type="cancel", run_id=first, ref="stop")
        ends: dict[str, str] = {}
        while len(ends) < 2:
            end = (await clerk.until("run.finished"))[-1]
            ends[end["run_id"]] = end["data"]["status"]
        assert ends == {first: "cancelled", second: "succeeded"}


async def test_a_run_is_resumed_from_any_number(server: Server, http: httpx.AsyncClient):
    thread = await new_thread(http)
    async with talk(server, thread) as clerk:
        await clerk.say(type="send", input="slowly")
        run = (await clerk.until("token"))[0]["run_id"]
    async with talk(server, thread) as again:
        await again.say(type="resume", run_id=run)
        whole = await again.until("run.finished")
        assert sequences(whole) == list(range(1, len(whole) + 1))
        for after in (1, 3, len(whole) - 1):
            await again.say(type="resume", run_id=run, after=after)
            assert await again.until("run.finished") == whole[after:]


async def test_the_same_key_begins_one_run(server: Server, http: httpx.AsyncClient):
    thread = await new_thread(http)
    async with talk(server, thread) as one, talk(server, thread) as two:
        for clerk in (one, two):
            await clerk.say(type="send", input="hello", key=f"key-{thread}")
        runs = {(await clerk.until("accepted"))[-1]["run_id"] for clerk in (one, two)}
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "dance", "ref": "x"}, "unknown_message"),
        ({"ref": "x"}, "unknown_message"),
        ({"type": "send", "ref": "x"}, "invalid_message"),
        ({"type": "send", "input": "hello", "user_id": "boss", "ref": "x"}, "invalid_message"),
        ({"type": "send", "input": "x" * 20_001, "ref": "x"}, "input_too_long"),
        ({"type": "send", "input": "hello", "documents": ["doc_lost"], "ref": "x"}, "document_not_found"),
        ({"type": "resume", "run_id": "nobody", "ref": "x"}, "run_not_found"),
        ({"type": "cancel", "run_id": "nobody", "ref": "x"}, "run_not_found"),
        ({"type": "approve", "approval_id": "nobody", "digest": "0", "ref": "x"}, "approval_not_found"),
    ],
)
async def test_what_is_not_understood_or_not_possible_is_told_and_the_socket_stays(
    server: Server, http: httpx.AsyncClient, message: Heard, code: str
):
    async with talk(server, await new_thread(http)) as clerk:
        await clerk.say(**message)
        error = await clerk.hear()
        assert (error["type"], error["code"], error["ref"]) == ("error", code, "x")
        await clerk.say(type="ping", ref="still there")
        assert await clerk.hear() == {"type": "pong", "ref": "still there"}


async def test_runs_and_approvals_of_another_thread_are_not_reached(server: Server, http: httpx.AsyncClient):
    answer = await http.post(
        f"/v1/threads/{await new_thread(http)}/runs", json={"input": "Please pay INV-2026-0008 now."}
    )
    run = answer.json()
    (approval,) = run["approvals"]
    async with talk(server, await new_thread(http)) as stranger:
        await stranger.say(type="resume", run_id=run["id"])
        assert (await stranger.hear())["code"] == "run_not_found"
        await stranger.say(type="approve", approval_id=approval["id"], digest=approval["digest"])
        assert (await stranger.hear())["code"] == "approval_not_found"
    await http.post(f"/v1/runs/{run['id']}/cancel")


@pytest.mark.parametrize(
    ("sent", "code"), [("not json", 1007), ("[1]", 1007), (b"\x00", 1003), ("x" * 1_100_000, 1009)], ids=str
)
async def test_what_is_no_message_at_all_closes_the_socket(
    server: Server, http: httpx.AsyncClient, sent: str | bytes, code: int
):
    async with talk(server, await new_thread(http)) as clerk:
        await clerk.socket.send(sent)
        with pytest.raises(ConnectionClosed):
            await clerk.hear()
        assert clerk.socket.close_code == code


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"Origin": "null"}, 403, "origin_not_allowed"),
        ({"Sec-WebSocket-Protocol": "deskclerk.v1, ticket.made-up"}, 401, "credentials_invalid"),
    ],
)
async def test_who_may_not_is_refused_before_the_socket_opens(
    server: Server, http: httpx.AsyncClient, headers: dict[str, str], status: int, code: str
):
    with pytest.raises(InvalidStatus) as refused:
        async with talk(server, await new_thread(http), additional_headers=headers):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["code"] == code


async def test_a_thread_that_is_not_there_is_not_found(server: Server):
    with pytest.raises(InvalidStatus) as refused:
        async with talk(server, "nothing"):
            pass
    assert (refused.value.response.status_code, json.loads(refused.value.response.body)["code"]) == (
        404,
        "thread_not_found",
    )


async def test_a_server_that_stops_lets_runs_rest_and_then_closes_with_1012(
    company_url: str, script: Path, tmp_path: Path
):
    settings = {"DESKCLERK_LLM": f"scripted:{script}", "DATABASE_URL": company_url}
    with run_server(settings, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            thread = await new_thread(http)
        async with talk(server, thread) as clerk:
            await clerk.say(type="send", input="slowly")
            await clerk.until("token")
            server.process.send_signal(signal.SIGTERM)
            assert (await clerk.until("run.finished"))[-1]["data"]["status"] == "succeeded"
            with pytest.raises(ConnectionClosed):
                await clerk.hear()
            assert clerk.socket.close_code == 1012
        assert await asyncio.to_thread(server.process.wait, 30) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.log
