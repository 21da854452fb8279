"""Every route of the OpenAPI document, tried as nobody, another user, another company's admin, and a lower role.

A route that is not in `EXPECTED` or `PUBLIC` fails the test, so that nobody adds one unguarded. What others get of a
thing is word for word what they get of nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from fastapi.routing import APIWebSocketRoute

from api.routes import routers
from tests.api.guarded_world import World, a_world

if TYPE_CHECKING:
    from prisma import Prisma

HIDDEN = {"other": 404, "viewer": 404, "approver": 404, "stranger": 404}
MISSING = "nothing-like-that"


@dataclass(frozen=True)
class Expect:
    """What each person gets, the last one by right. Nobody gets 401 from all of them.

    Attributes:
        lists: It is a list: whoever gets 200 and is not among `sees` finds nothing of the owner's in it.
        sees: Who may find the owner's things in it.
    """

    answers: dict[str, int]
    request: dict[str, Any] = field(default_factory=dict[str, Any])
    lists: bool = False
    sees: frozenset[str] = frozenset({"owner", "admin"})


def everybody(**others: int) -> dict[str, int]:
    return {**dict.fromkeys(("viewer", "other", "approver", "stranger", "admin", "owner"), 200), **others}


def listed(*sees: str, **others: int) -> Expect:
    return Expect(everybody(**others), lists=True, sees=frozenset({"owner", "admin", *sees}))


DECIDE = {"json": {"decision": "reject", "digest": "DIGEST"}}
SETTLE = {"json": {"outcome": "not_executed"}}
CHAT = {"json": {"model": "scripted", "messages": [{"role": "user", "content": "Hello."}]}}
SCHEDULE = {"json": {"name": "new", "cron": "0 8 * * 1", "input": "Which?"}}
FILE = {"files": {"file": ("a.txt", b"Hello.", "text/plain")}}
ALONE_LISTED = Expect(everybody(), lists=True, sees=frozenset({"owner"}))  # how one signs in is nobody else's
NO_SCHEDULES = {"viewer": 403, "approver": 403}

EXPECTED: dict[tuple[str, str], Expect] = {
    ("GET", "/v1/me"): Expect(everybody()),
    ("GET", "/v1/models"): Expect(everybody()),
    ("GET", "/v1/threads"): listed(),
    ("POST", "/v1/threads"): Expect(dict.fromkeys(everybody(), 201), {"json": {}}),
    ("GET", "/v1/threads/{thread_id}"): Expect({**HIDDEN, "admin": 200, "owner": 200}),
    ("DELETE", "/v1/threads/{thread_id}"): Expect({**HIDDEN, "owner": 204}),
    ("POST", "/v1/threads/{thread_id}/runs"): Expect(
        {**HIDDEN, "admin": 403, "owner": 200}, {"json": {"input": "Hello."}}
    ),
    ("GET", "/v1/runs"): listed("approver"),  # the one that waits
    ("GET", "/v1/runs/{run_id}"): Expect({**HIDDEN, "admin": 200, "owner": 200}),
    ("GET", "/v1/runs/{run_id}/events"): Expect({**HIDDEN, "admin": 200, "owner": 200}),
    ("POST", "/v1/runs/{run_id}/cancel"): Expect({**HIDDEN, "admin": 409, "owner": 409}),  # it has ended
    ("GET", "/v1/approvals"): listed("approver"),
    ("POST", "/v1/approvals/{approval_id}"): Expect(
        {"other": 404, "viewer": 404, "stranger": 404, "owner": 403, "approver": 200}, DECIDE
    ),
    ("GET", "/v1/effects"): listed("approver"),
    ("POST", "/v1/effects/{effect_id}/settle"): Expect(
        {"other": 404, "viewer": 404, "stranger": 404, "owner": 403, "approver": 200}, SETTLE
    ),
    ("GET", "/v1/documents"): listed(),
    ("POST", "/v1/documents"): Expect(dict.fromkeys(everybody(), 201), FILE),
    ("DELETE", "/v1/documents/{document_id}"): Expect({**HIDDEN, "owner": 204}),
    ("GET", "/v1/schedules"): listed(**NO_SCHEDULES),
    ("POST", "/v1/schedules"): Expect(
        {**NO_SCHEDULES, "other": 201, "stranger": 201, "admin": 201, "owner": 201}, SCHEDULE
    ),
    ("GET", "/v1/schedules/{name}"): Expect(
        {**NO_SCHEDULES, "other": 404, "stranger": 404, "admin": 200, "owner": 200}
    ),
    ("DELETE", "/v1/schedules/{name}"): Expect({**NO_SCHEDULES, "other": 404, "stranger": 404, "owner": 204}),
    ("GET", "/v1/audit"): Expect(
        {"viewer": 403, "other": 403, "approver": 403, "owner": 403, "stranger": 200, "admin": 200},
        lists=True,
        sees=frozenset({"admin"}),
    ),
    ("GET", "/v1/models/{model_id}"): Expect(everybody()),
    ("POST", "/v1/chat/completions"): Expect(everybody(), CHAT),  # on a thread of their own
    ("GET", "/v1/usage"): Expect(everybody()),
    ("POST", "/v1/auth/tickets"): Expect(dict.fromkeys(everybody(), 201), {"json": {}}),
    ("GET", "/v1/auth/keys"): ALONE_LISTED,
    ("POST", "/v1/auth/keys"): Expect(dict.fromkeys(everybody(), 201), {"json": {"name": "k", "scopes": ["read"]}}),
    ("DELETE", "/v1/auth/keys/{key_id}"): Expect({**HIDDEN, "admin": 404, "owner": 204}),
    ("GET", "/v1/auth/sessions"): ALONE_LISTED,
    ("DELETE", "/v1/auth/sessions"): Expect(dict.fromkeys(everybody(), 204)),
    ("DELETE", "/v1/auth/sessions/{session_id}"): Expect({**HIDDEN, "admin": 404, "owner": 204}),
}

PUBLIC = {
    ("POST", "/v1/auth/token"),
    ("POST", "/v1/auth/revoke"),
    ("GET", "/v1/auth/oauth"),
    ("GET", "/v1/auth/oauth/{provider}/login"),
    ("GET", "/v1/auth/oauth/{provider}/callback"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),  # this machine's, or whose token is right
    ("POST", "/v1/webhooks/stripe"),  # signed by Stripe
}

WHOLE = {"/v1/schedules", "/v1/auth/keys", "/v1/auth/sessions"}  # lists that come all at once

SOCKETS: dict[str, dict[str, int]] = {
    "/v1/threads/{thread_id}/ws": {**HIDDEN, "admin": 101, "owner": 101},
}
"""WebSocket routes: what each person gets; nobody gets 401 from all of them."""


@pytest_asyncio.fixture
async def world(database: Prisma, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[World]:
    async with a_world(database, monkeypatch) as world:
        yield world


def routes(world: World) -> set[tuple[str, str]]:
    methods = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}
    return {
        (method.upper(), path)
        for path, item in world.app.openapi()["paths"].items()
        for method in item
        if method in methods
    }


async def test_there_is_an_expectation_of_every_route(world: World):
    assert routes(world) == set(EXPECTED) | PUBLIC


def test_there_is_a_test_of_every_socket():
    sockets = {route.path for router in routers() for route in router.routes if isinstance(route, APIWebSocketRoute)}
    assert sockets == set(SOCKETS)


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_socket_opens_for_whom_its_thread_is(world: World, path: str):
    theirs, nothing = path.format(**world.ids), path.format(**dict.fromkeys(world.ids, MISSING))
    nobody = await world.talk(None, theirs)
    assert (nobody.status, nobody.refusal["code"]) == (401, "not_authenticated")
    for who, status in SOCKETS[path].items():
        heard = await world.talk(who, theirs)
        assert heard.status == status, (who, heard)
        if status == 404:
            said, said_of_nothing = heard.refusal, (await world.talk(who, nothing)).refusal
            assert said["detail"].replace(world.ids["thread_id"], MISSING) == said_of_nothing["detail"]
            assert (said["status"], said["code"]) == (404, said_of_nothing["code"])


async def test_an_admin_reads_on_somebody_elses_socket_and_asks_nothing_there(world: World):
    path = f"/v1/threads/{world.ids['thread_id']}/ws"
    heard = await world.talk("admin", path, {"type": "send", "input": "Pay cus_acme.", "ref": "x"})
    assert [one["type"] for one in heard.messages] == ["hello", "error"]
    assert heard.messages[-1]["code"] == "not_yours"
    heard = await world.talk("admin", path, {"type": "resume", "run_id": world.ids["run_id"]})
    assert [one["type"] for one in heard.messages] == ["hello", "event"]


async def test_on_a_socket_a_lower_role_decides_nothing(world: World):
    """The owner sees the approval and may not decide about it, as over HTTP."""
    run = (await world.ask("owner", "GET", f"/v1/runs/{world.ids['waiting']}")).json()
    word = {"approval_id": world.ids["approval_id"], "digest": world.digest, "ref": "x"}
    heard = await world.talk("owner", f"/v1/threads/{run['thread_id']}/ws", {"type": "approve", **word})
    assert (heard.messages[-1]["type"], heard.messages[-1]["code"]) == ("error", "forbidden")
    [left] = (await world.ask("approver", "GET", "/v1/approvals")).json()["data"]
    assert left["id"] == world.ids["approval_id"]
    other = await world.talk("owner", f"/v1/threads/{world.ids['thread_id']}/ws", {"type": "approve", **word})
    assert other.messages[-1]["code"] == "approval_not_found"  # it is another thread's


def filled(world: World, expect: Expect) -> dict[str, Any]:
    """The request, with the approval's digest in it."""
    body = expect.request.get("json")
    return {**expect.request, **({} if body is None else {"json": _filled(body, world.digest)})}


def _filled(body: dict[str, Any], digest: str) -> dict[str, Any]:
    return {name: digest if value == "DIGEST" else value for name, value in body.items()}


@pytest.mark.parametrize("route", sorted(EXPECTED), ids=" ".join)
async def test_everybody_gets_what_is_theirs_and_nothing_else(world: World, route: tuple[str, str]):
    (method, path), expect = route, EXPECTED[route]
    theirs, nothing = path.format(**world.ids), path.format(**dict.fromkeys(world.ids, MISSING))
    request = filled(world, expect)
    nobody = await world.ask(None, method, theirs, **request)
    said = nobody.json()
    code = said["error"]["code"] if "error" in said else said["code"]  # OpenAI's paths answer in OpenAI's form
    assert (nobody.status_code, code) in [(401, "not_authenticated"), (401, "invalid_api_key")]
    for who, status in expect.answers.items():
        answer = await world.ask(who, method, theirs, **request)
        assert answer.status_code == status, (who, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", answer.text
        if status == 404:
            missing = await world.ask(who, method, nothing, **request)
            said, said_of_nothing = answer.json(), missing.json()
            del said["request_id"], said_of_nothing["request_id"]
            shown = next(one for one in world.ids.values() if one in said["detail"])
            assert said == {**said_of_nothing, "detail": said_of_nothing["detail"].replace(MISSING, shown)}, who
        if expect.lists and status == 200:
            seen = [mark for mark in world.marks if mark in answer.text]
            assert bool(seen) == (who in expect.sees), (who, seen)


@pytest.mark.parametrize(
    "path", sorted(path for (_, path), expect in EXPECTED.items() if expect.lists and path not in WHOLE)
)
async def test_a_list_cannot_be_asked_whether_somebody_elses_thing_is_there(world: World, path: str):
    """`?after=` of a thing that cannot be seen is that of nothing."""
    first = (await world.ask("admin", "GET", path, params={"limit": 1})).json()["data"]
    assert first
    for who in ("other", "stranger") if path != "/v1/audit" else ("stranger",):
        hidden = await world.ask(who, "GET", path, params={"after": first[0]["id"]})
        missing = await world.ask(who, "GET", path, params={"after": MISSING})
        assert (hidden.status_code, hidden.json()) == (200, missing.json())


async def test_somebody_elses_document_cannot_be_attached_or_scheduled(world: World):
    for who in ("other", "stranger"):
        thread = (await world.ask(who, "POST", "/v1/threads")).json()["id"]
        body = {"input": "Read it.", "documents": [world.ids["document_id"]]}
        answer = await world.ask(who, "POST", f"/v1/threads/{thread}/runs", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "document_not_found")
        answer = await world.ask(who, "POST", "/v1/schedules", json={**body, "name": "x", "cron": "0 8 * * 1"})
        assert (answer.status_code, answer.json()["code"]) == (404, "document_not_found")


async def test_only_an_admin_shares_a_document(world: World):
    shared = {**FILE, "data": {"shared": "true"}}
    for who in ("viewer", "owner", "approver"):
        assert (await world.ask(who, "POST", "/v1/documents", **shared)).status_code == 403
    made = (await world.ask("admin", "POST", "/v1/documents", **shared)).json()
    assert made["shared"] is True
    for who in ("viewer", "owner", "approver"):
        listing = (await world.ask(who, "GET", "/v1/documents")).json()["data"]
        assert made["id"] in [one["id"] for one in listing]
        assert (await world.ask(who, "DELETE", f"/v1/documents/{made['id']}")).status_code == 403
    assert made["id"] not in (await world.ask("stranger", "GET", "/v1/documents")).text


async def test_a_run_that_waits_shows_an_approver_what_is_to_be_decided_and_no_more(world: World):
    [approval] = (await world.ask("approver", "GET", "/v1/approvals")).json()["data"]
    run_id = approval["run_id"]
    run = (await world.ask("approver", "GET", f"/v1/runs/{run_id}")).json()
    assert (await world.ask("approver", "GET", f"/v1/runs/{run_id}/events")).status_code == 200
    assert (await world.ask("approver", "GET", f"/v1/threads/{run['thread_id']}")).status_code == 404
    assert (await world.ask("approver", "POST", f"/v1/runs/{run_id}/cancel")).status_code == 403
    assert (await world.ask("approver", "DELETE", f"/v1/threads/{run['thread_id']}")).status_code == 404
