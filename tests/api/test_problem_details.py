"""Every way a request can be wrong ends in RFC 9457 problem details, and none of them tells what it should not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from agent.errors import AgentError
from agent.llm.base import OnProgress
from api.app import create_app
from api.problems import MEDIA_TYPE, status_of
from api.service import Service
from api.settings import ApiSettings
from prisma.errors import UnreachableError
from tests.support.asgi import in_process

SECRET = "sk-live-51HxSecret"


class BrokenDatabase:
    """Fails like a bug would, with something in its message that no client may see."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"cannot reach postgresql://desk:{SECRET}@db/{name}")


@asynccontextmanager
async def open_broken(_: ApiSettings, *, on_progress: OnProgress | None = None) -> AsyncGenerator[Service]:
    yield Service(db=cast("Any", BrokenDatabase()), agent=cast("Any", SimpleNamespace(ready=True)), model="none")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    settings = ApiSettings(auth="off", max_body_bytes=2048, max_document_bytes=4096)
    async with in_process(create_app(settings, open_service=open_broken)) as client:
        await client.get("/readyz")
        yield client


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of an answer that must be this problem."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), answer.text
    body = cast("dict[str, Any]", answer.json())
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:deskclerk:problem:{code}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def test_a_database_that_is_away_is_no_bug_and_can_be_asked_again():
    class AwayDatabase:
        @property
        def thread(self) -> Any:
            raise UnreachableError(f"postgresql://desk:{SECRET}@db/desk")

    @asynccontextmanager
    async def open_away(_: ApiSettings, *, on_progress: OnProgress | None = None) -> AsyncGenerator[Service]:
        yield Service(db=cast("Any", AwayDatabase()), agent=cast("Any", SimpleNamespace(ready=True)), model="none")

    async with in_process(create_app(ApiSettings(auth="off"), open_service=open_away)) as client:
        await asyncio.sleep(0.05)
        assert (await client.get("/readyz")).status_code == 200, (await client.get("/readyz")).text
        answer = await client.get("/v1/threads")
    problem(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert SECRET not in answer.text


async def test_an_unknown_address(client: httpx.AsyncClient):
    problem(await client.get("/v2/nothing"), 404, "route_not_found")


async def test_a_method_that_an_address_does_not_take_tells_which_it_takes(client: httpx.AsyncClient):
    answer = await client.put("/v1/me")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


async def test_a_body_that_is_not_json(client: httpx.AsyncClient):
    answer = await client.post(
        "/v1/threads/t/runs", content=b'{"input": ', headers={"content-type": "application/json"}
    )
    problem(answer, 400, "malformed_json")


async def test_a_body_that_is_nested_without_end(client: httpx.AsyncClient):
    body = b'{"input": ' + b"[" * 1_900
    answer = await client.post("/v1/threads/t/runs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


async def test_what_is_invalid_is_named_and_not_repeated(client: httpx.AsyncClient):
    answer = await client.post(
        "/v1/threads/t/runs", json={"input": "", "background": SECRET, "documents": [SECRET * 9], "admin": SECRET}
    )
    body = problem(answer, 422, "validation_failed")
    paths = {error["path"] for error in body["errors"]}
    assert paths == {"body.input", "body.background", "body.documents.0", "body.admin"}
    assert SECRET not in answer.text


async def test_a_header_that_is_no_sequence_is_named(client: httpx.AsyncClient):
    answer = await client.get("/v1/runs/r/events", headers={"Last-Event-ID": "-1 or 1=1"})
    assert problem(answer, 422, "validation_failed")["errors"][0]["path"] == "header.last-event-id"


async def test_a_body_that_says_it_is_too_large_is_refused_unread(client: httpx.AsyncClient):
    answer = await client.post("/v1/threads", content=b"x" * 2049)
    problem(answer, 413, "body_too_large")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_limit(client: httpx.AsyncClient):
    sent = 0

    async def drip() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 512
            yield b" " * 512

    answer = await client.post("/v1/threads", content=drip(), headers={"content-type": "application/json"})
    problem(answer, 413, "body_too_large")
    assert sent <= 2048 + 2 * 512


async def test_uploads_have_a_limit_of_their_own(client: httpx.AsyncClient):
    answer = await client.post("/v1/documents", files={"file": ("order.txt", b"x" * 4097)})
    problem(answer, 413, "document_too_large")
    answer = await client.post("/v1/documents", files={"file": ("order.txt", b"x" * 100_000)})
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 422, "document_empty"), (b"\x89PNG\r\n\x1a\n\x00", 415, "document_unsupported")],
)
async def test_files_that_cannot_be_read_are_refused_at_the_door(
    client: httpx.AsyncClient, content: bytes, status: int, code: str
):
    answer = await client.post("/v1/documents", files={"file": ("../../order\x1b.pdf", content)})
    assert "'order.pdf'" in problem(answer, status, code)["detail"]


async def test_a_bug_is_logged_with_its_request_and_silent_to_the_client(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    answer = await client.get("/v1/threads", headers={"X-Request-Id": "caller-chose-1"})
    body = problem(answer, 500, "internal_error")
    assert body["request_id"] == "caller-chose-1"
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert caplog.records[-1].exc_info is not None
    assert caplog.records[-1].getMessage() == "request failed: GET /v1/threads"


@pytest.mark.parametrize("proposed", ["short", "with space and more", "x" * 65, "new\tline-----"])
async def test_a_request_id_that_could_spoil_a_log_is_replaced(client: httpx.AsyncClient, proposed: str):
    answer = await client.get("/healthz", headers={"X-Request-Id": proposed})
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", ""])
async def test_a_name_that_is_not_this_machine_is_not_served(client: httpx.AsyncClient, host: str):
    problem(await client.get("/v1/me", headers={"Host": host}), 421, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "localhost:3000"])
async def test_this_machine_is_served_by_any_of_its_names(client: httpx.AsyncClient, host: str):
    assert (await client.get("/v1/me", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
async def test_pages_of_other_sites_are_refused(client: httpx.AsyncClient, origin: str):
    problem(await client.post("/v1/threads", headers={"Origin": origin}), 403, "origin_not_allowed")


def test_every_refusal_of_the_agent_has_a_status_of_its_own_kind():
    def leaves(kind: type[AgentError]) -> Iterator[type[AgentError]]:
        for child in kind.__subclasses__():
            yield child
            yield from leaves(child)

    statuses = {kind.__name__: status_of(kind.__new__(kind)) for kind in leaves(AgentError)}
    assert statuses
    assert 400 not in statuses.values(), f"api/problems.py does not know all of {statuses}"


async def test_every_route_documents_its_problems(client: httpx.AsyncClient):
    document = (await client.get("/openapi.json")).json()
    reference = {"$ref": "#/components/schemas/ProblemDetails"}
    for path, methods in document["paths"].items():
        if path.startswith(("/v1/chat/completions", "/v1/models")):
            continue  # their clients expect errors in OpenAI's form: tests/api/chat
        for method, operation in methods.items():
            failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert {"400", "413", "422", "500"} <= failures.keys(), f"{method} {path}"
            for status, answer in failures.items():
                assert answer["content"] == {MEDIA_TYPE: {"schema": reference}}, f"{method} {path} {status}"
    assert "HTTPValidationError" not in json.dumps(document)
