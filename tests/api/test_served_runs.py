"""Runs through a real server process: streams byte for byte, approvals, cancelling, leaving and coming back."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from prisma import Prisma
from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.service

SSE = {"Accept": "text/event-stream"}
FRAME = re.compile(rb"id: (\d+)\nevent: ([a-z.]+)\ndata: (\{[^\n]*\})\n\n")
Event = tuple[int, str, dict[str, Any]]


def events_of(body: bytes) -> list[Event]:
    """The events of a stream, which must be nothing but whole frames and heartbeats."""
    frames = body.replace(b": still here\n\n", b"")
    found = [match.groups() for match in FRAME.finditer(frames)]
    assert b"".join(b"id: %b\nevent: %b\ndata: %b\n\n" % groups for groups in found) == frames
    return [(int(sequence), kind.decode(), json.loads(data)) for sequence, kind, data in found]


async def new_thread(http: httpx.AsyncClient) -> str:
    answer = await http.post("/v1/threads")
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def stream(http: httpx.AsyncClient, thread: str, text: str, **options: Any) -> httpx.Response:
    """A run's whole stream, until it rests."""
    headers = {**SSE, **options.pop("headers", {})}
    return await http.post(f"/v1/threads/{thread}/runs", json={"input": text, **options}, headers=headers)


async def wait_for_approval(http: httpx.AsyncClient, number: str) -> tuple[dict[str, Any], bytes]:
    """Ask to pay an invoice; the approval that is waited for, and the stream up to it."""
    answer = await stream(http, await new_thread(http), f"Please pay {number} now.")
    required = [data for _, kind, data in events_of(answer.content) if kind == "approval.required"]
    assert len(required) == 1
    return required[0], answer.content


async def test_a_stream_is_whole_frames_in_unbroken_sequence(http: httpx.AsyncClient):
    answer = await stream(http, await new_thread(http), "hello")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    events = events_of(answer.content)
    assert [sequence for sequence, _, _ in events] == list(range(1, len(events) + 1))
    kinds = [kind for _, kind, _ in events]
    assert (kinds[0], kinds[-2:]) == ("run.started", ["message", "run.finished"])
    assert set(kinds[1:-2]) == {"token"}
    text = "".join(data["text"] for _, kind, data in events if kind == "token")
    assert text == events[-2][2]["text"] == "Hello, how can I help you \u2028 today?"
    assert events[-1][2]["status"] == "succeeded"
    assert answer.headers["location"] == f"/v1/runs/{events[0][2]['run_id']}"


async def test_tokens_leave_as_they_are_generated(http: httpx.AsyncClient):
    arrivals: list[float] = []
    url = f"/v1/threads/{await new_thread(http)}/runs"
    async with http.stream("POST", url, json={"input": "slowly"}, headers=SSE) as answer:
        async for chunk in answer.aiter_raw():
            if b"event: token" in chunk:
                arrivals.append(asyncio.get_running_loop().time())
    assert len(arrivals) >= 4
    assert arrivals[-1] - arrivals[0] > 0.3


async def test_a_stream_can_be_read_again_from_any_point_byte_for_byte(http: httpx.AsyncClient):
    first = await stream(http, await new_thread(http), "look up ACME")
    run = first.headers["location"]
    frames = [match.group() for match in FRAME.finditer(first.content)]
    assert len(frames) > 4
    for read in range(len(frames)):
        again = await http.get(f"{run}/events", headers={"Last-Event-ID": str(read)})
        assert again.content == b"".join(frames[read:])
        assert (await http.get(f"{run}/events", params={"after": read})).content == again.content
    end = await http.get(f"{run}/events", headers={"Last-Event-ID": str(len(frames))})
    assert (end.status_code, end.content) == (204, b"")


async def test_a_second_reader_sees_the_same_while_it_happens(http: httpx.AsyncClient):
    thread = await new_thread(http)
    started = await http.post(f"/v1/threads/{thread}/runs", json={"input": "slowly", "background": True})
    assert started.status_code == 202
    run = started.headers["location"]
    bodies = await asyncio.gather(*(http.get(f"{run}/events") for _ in range(5)))
    assert len({body.content for body in bodies}) == 1
    assert events_of(bodies[0].content)[-1][2]["status"] == "succeeded"


async def test_a_run_goes_on_when_its_reader_leaves(http: httpx.AsyncClient):
    thread = await new_thread(http)
    async with http.stream("POST", f"/v1/threads/{thread}/runs", json={"input": "slowly"}, headers=SSE) as answer:
        run = answer.headers["location"]
        async for chunk in answer.aiter_raw():
            if b"event: token" in chunk:
                break
    rest = events_of((await http.get(f"{run}/events")).content)
    assert rest[-1][2]["status"] == "succeeded"
    assert (await http.get(run)).json()["answer"] == "one two three four five six"


async def test_without_a_stream_the_answer_comes_when_the_run_rests(http: httpx.AsyncClient):
    thread = await new_thread(http)
    answer = await http.post(f"/v1/threads/{thread}/runs", json={"input": "hello"})
    assert answer.status_code == 200
    run = answer.json()
    assert (run["status"], run["error"], run["approvals"]) == ("succeeded", None, [])
    assert run["answer"].startswith("Hello")
    assert run["usage"]["output_tokens"] > 0
    shown = (await http.get(f"/v1/threads/{thread}")).json()
    assert [(message["role"], message["run_id"]) for message in shown["messages"]] == [
        ("user", run["id"]),
        ("assistant", run["id"]),
    ]
    assert [(item["id"], item["status"]) for item in shown["runs"]] == [(run["id"], "succeeded")]


async def test_a_run_that_waits_goes_on_after_the_decision_in_unbroken_sequence(http: httpx.AsyncClient):
    approval, before = await wait_for_approval(http, "INV-2026-0001")
    assert approval["arguments"]["invoice"] == "INV-2026-0001"
    assert approval["origins"]["invoice"] == "user"
    assert events_of(before)[-1][1:] == ("run.finished", {**events_of(before)[-1][2], "status": "waiting"})
    run = f"/v1/runs/{events_of(before)[0][2]['run_id']}"
    shown = (await http.get(run)).json()
    assert (shown["status"], [item["id"] for item in shown["approvals"]]) == ("waiting", [approval["approval_id"]])
    pending = (await http.get("/v1/approvals", params={"status": "pending"})).json()["data"]
    assert approval["digest"] in {item["digest"] for item in pending}

    decided = await http.post(
        f"/v1/approvals/{approval['approval_id']}", json={"decision": "approve", "digest": approval["digest"]}
    )
    assert (decided.status_code, decided.json()["status"]) == (200, "approved")
    last = events_of(before)[-1][0]
    after = (await http.get(f"{run}/events", headers={"Last-Event-ID": str(last)})).content
    events = events_of(before + after)
    assert [sequence for sequence, _, _ in events] == list(range(1, len(events) + 1))
    assert [data["status"] for _, kind, data in events if kind == "tool.result"] == ["succeeded"]
    assert events[-1][2]["status"] == "succeeded"
    assert (await http.get(run)).json()["status"] == "succeeded"


async def test_of_many_approvals_at_once_one_counts(http: httpx.AsyncClient):
    approval, before = await wait_for_approval(http, "INV-2026-0002")
    url = f"/v1/approvals/{approval['approval_id']}"
    body = {"decision": "approve", "digest": approval["digest"]}
    answers = await asyncio.gather(*(http.post(url, json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"approval_not_pending"}
    run = f"/v1/runs/{events_of(before)[0][2]['run_id']}"
    after = events_of((await http.get(f"{run}/events", params={"after": events_of(before)[-1][0]})).content)
    assert [kind for _, kind, _ in after].count("tool.result") == 1


async def test_what_a_person_did_not_see_is_not_approved(http: httpx.AsyncClient):
    approval, _ = await wait_for_approval(http, "INV-2026-0003")
    url = f"/v1/approvals/{approval['approval_id']}"
    answer = await http.post(url, json={"decision": "approve", "digest": "0" * len(approval["digest"])})
    assert (answer.status_code, answer.json()["code"]) == (409, "approval_digest_mismatch")
    answer = await http.post(url, json={"decision": "reject", "digest": approval["digest"], "reason": "not today"})
    assert (answer.json()["status"], answer.json()["reason"]) == ("rejected", "not today")


async def test_a_waiting_run_can_be_cancelled_and_then_nothing_can_be_approved(http: httpx.AsyncClient):
    approval, before = await wait_for_approval(http, "INV-2026-0004")
    run = f"/v1/runs/{events_of(before)[0][2]['run_id']}"
    answer = await http.post(f"{run}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    body = {"decision": "approve", "digest": approval["digest"]}
    late = await http.post(f"/v1/approvals/{approval['approval_id']}", json=body)
    assert (late.status_code, late.json()["code"]) == (409, "approval_not_pending")


async def test_a_running_run_can_be_cancelled_once_and_its_stream_says_so(http: httpx.AsyncClient):
    thread = await new_thread(http)
    started = await http.post(f"/v1/threads/{thread}/runs", json={"input": "forever", "background": True})
    run = started.headers["location"]
    reading = asyncio.create_task(http.get(f"{run}/events"))
    await asyncio.sleep(0.3)
    answer = await http.post(f"{run}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert events_of((await reading).content)[-1][2]["status"] == "cancelled"
    again = await http.post(f"{run}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "run_ended")


async def test_a_thread_takes_one_run_at_a_time(http: httpx.AsyncClient):
    thread = await new_thread(http)
    started = await http.post(f"/v1/threads/{thread}/runs", json={"input": "forever", "background": True})
    busy = await http.post(f"/v1/threads/{thread}/runs", json={"input": "hello"})
    assert (busy.status_code, busy.json()["code"]) == (409, "thread_busy")
    reading = asyncio.create_task(http.get(f"{started.headers['location']}/events"))
    await asyncio.sleep(0.3)
    assert (await http.delete(f"/v1/threads/{thread}")).status_code == 204
    assert events_of((await reading).content)[-1][2]["status"] == "cancelled"
    assert (await http.get(f"/v1/threads/{thread}")).status_code == 404


async def test_the_same_key_never_starts_a_second_run(http: httpx.AsyncClient):
    thread = await new_thread(http)
    key = {"Idempotency-Key": f"key-of-{thread}"}
    first = await stream(http, thread, "hello", headers=key)
    again = await stream(http, thread, "hello", headers=key)
    assert again.content == first.content
    other = await stream(http, thread, "slowly", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    assert len((await http.get(f"/v1/threads/{thread}")).json()["runs"]) == 1


async def test_a_model_that_breaks_off_ends_the_run_with_its_code(http: httpx.AsyncClient):
    events = events_of((await stream(http, await new_thread(http), "break")).content)
    assert events[-1][2]["status"] == "failed"
    assert events[-1][2]["error"] == {"code": "stream_broken", "message": "It went away."}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/threads/nobody"),
        ("DELETE", "/v1/threads/nobody"),
        ("POST", "/v1/threads/nobody/runs"),
        ("GET", "/v1/runs/nobody"),
        ("GET", "/v1/runs/nobody/events"),
        ("POST", "/v1/runs/nobody/cancel"),
        ("POST", "/v1/approvals/nobody"),
        ("DELETE", "/v1/documents/nobody"),
    ],
)
async def test_what_is_not_there_is_a_problem_that_says_so(http: httpx.AsyncClient, method: str, path: str):
    bodies = {"runs": {"input": "hello"}, "nobody": {"decision": "approve", "digest": "0"}}
    body = bodies.get(path.rsplit("/", 1)[-1]) if method == "POST" else None
    answer = await http.request(method, path, json=body)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == f"{path.split('/')[2].removesuffix('s')}_not_found"


async def test_documents_go_with_a_run_by_their_id(http: httpx.AsyncClient):
    sent = await http.post("/v1/documents", files={"file": ("C:\\orders\\po 7.txt", b"Order PO-7: 2 chairs")})
    assert sent.status_code == 201
    document = sent.json()
    assert (document["name"], document["media_type"], document["size_bytes"]) == ("po 7.txt", "text/plain", 20)
    assert document["id"] in {item["id"] for item in (await http.get("/v1/documents")).json()["data"]}
    thread = await new_thread(http)
    events = events_of((await stream(http, thread, "hello", documents=[document["id"]])).content)
    assert events[-1][2]["status"] == "succeeded"
    lost = await http.post(f"/v1/threads/{thread}/runs", json={"input": "hello", "documents": ["doc_lost"]})
    assert (lost.status_code, lost.json()["code"]) == (404, "document_not_found")
    assert (await http.delete(f"/v1/documents/{document['id']}")).status_code == 204
    assert (await http.delete(f"/v1/documents/{document['id']}")).status_code == 404


async def test_lists_are_read_in_parts_without_a_gap(http: httpx.AsyncClient):
    made = [await new_thread(http) for _ in range(5)]
    read: list[str] = []
    after: str | None = None
    while True:
        params = {"limit": "2"} | ({"after": after} if after else {})
        page = (await http.get("/v1/threads", params=params)).json()
        read += [thread["id"] for thread in page["data"]]
        if (after := page["next"]) is None:
            break
    assert len(read) == len(set(read))
    assert set(made) <= set(read)


async def test_a_deleted_thread_leaves_only_the_record_of_its_effects(http: httpx.AsyncClient, company_url: str):
    approval, before = await wait_for_approval(http, "INV-2026-0005")
    body = {"decision": "approve", "digest": approval["digest"]}
    await http.post(f"/v1/approvals/{approval['approval_id']}", json=body)
    started = events_of(before)[0][2]
    await http.get(f"/v1/runs/{started['run_id']}/events", params={"after": events_of(before)[-1][0]})
    address = f"/v1/threads/{started['thread_id']}"
    assert (await http.delete(address)).status_code == 204
    assert (await http.get(address)).status_code == (await http.delete(address)).status_code == 404
    assert (await http.post(f"{address}/runs", json={"input": "hello"})).status_code == 404
    assert started["thread_id"] not in (await http.get("/v1/threads")).text
    async with Prisma(company_url) as db:
        assert await db.effect.count(where={"run_id": started["run_id"], "status": "executed"}) == 1
        assert await db.event.count(where={"run_id": started["run_id"]}) == 0
        assert await db.message.count(where={"thread_id": started["thread_id"]}) == 0
        assert (await db.run.find_unique_or_raise(where={"id": started["run_id"]})).input == ""


async def test_neither_requests_nor_secrets_stand_in_the_log(http: httpx.AsyncClient, server: Server):
    await stream(http, await new_thread(http), "hello, my password is hunter2")
    assert "hunter2" not in server.log
    assert "secret" not in server.log


async def test_when_the_server_is_stopped_its_streams_end_properly_and_its_runs_go_on_in_the_next(
    database_url: str, script: Path, tmp_path: Path
):
    settings = {
        "DESKCLERK_LLM": f"scripted:{script}",
        "DATABASE_URL": database_url,
        "DESKCLERK_SHUTDOWN_SECONDS": "0.5",
    }
    with run_server(settings, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            thread = await new_thread(http)
            reading = asyncio.create_task(stream(http, thread, "slowly on"))
            await asyncio.sleep(0.3)
            code = await asyncio.to_thread(server.stop)
            before = events_of((await reading).content)
    assert [event[1] for event in before][:2] == ["run.started", "token"]
    assert "run.finished" not in [event[1] for event in before]
    assert code == -signal.SIGTERM, server.log  # uvicorn ends as the signal would have
    with run_server(settings, folder=tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            after = {"Last-Event-ID": str(before[-1][0])}
            rest = events_of((await http.get(f"/v1/runs/{before[0][2]['run_id']}/events", headers=after)).content)
    assert rest[0][1] == "run.resumed"
    assert [event[2]["text"] for event in rest if event[1] == "message"] == ["one two three four five six seven"]
    assert rest[-1][2]["status"] == "succeeded"
