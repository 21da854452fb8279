"""WebSockets of other sites' pages, without a ticket or with somebody else's, and reaching out of an open one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.auth.secret_tokens import digest
from tests.support.arena import Arena

pytestmark = pytest.mark.service

Answer = tuple[int, str]
REFUSED = (401, "credentials_invalid")


@pytest.fixture(scope="module")
def thread(arena: Arena) -> str:
    """A thread of ann's."""
    return str(arena.http.post("/v1/threads", headers=arena.as_("ann")).raise_for_status().json()["id"])


def ticket_of(arena: Arena, headers: dict[str, str]) -> str:
    return str(arena.http.post("/v1/auth/tickets", headers=headers).raise_for_status().json()["ticket"])


def opened(
    arena: Arena, thread: str, *, ticket: str | None = None, query: str = "", **headers: str
) -> ClientConnection:
    """A socket on `thread`."""
    offered: Any = ["deskclerk.v1", f"ticket.{ticket}"] if ticket is not None else None
    url = arena.server.url.replace("http://", "ws://")
    return connect(f"{url}/v1/threads/{thread}/ws{query}", subprotocols=offered, additional_headers=headers)


def refusal(arena: Arena, thread: str, **how: Any) -> Answer:
    """Status and code of a socket that must not open."""
    with pytest.raises(InvalidStatus) as refused, opened(arena, thread, **how):
        pass
    response = refused.value.response
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, str(json.loads(response.body)["code"])


def execute(arena: Arena, statement: str, *values: str) -> int:
    with closing(sqlite3.connect(arena.file, timeout=30)) as connection, connection:
        return connection.execute(statement, values).rowcount


# ---------------------------------------------------------------- without a ticket, or with one that is none

SHOWN: dict[str, Callable[[Arena], dict[str, Any]]] = {
    "made_up": lambda arena: {"ticket": "dct_" + "a" * 43},
    "empty": lambda arena: {"ticket": ""},
    "without_end": lambda arena: {"ticket": "dct_" + "a" * 4000},
    "access_token": lambda arena: {"ticket": arena.tokens["ann"]["access_token"]},
    "refresh_token": lambda arena: {"ticket": arena.tokens["ann"]["refresh_token"]},
    "api_key": lambda arena: {"ticket": arena.keys["everything"]["key"]},
    "for_another_purpose": lambda arena: {"ticket": _for_a_sign_in(arena)},
    "expired": lambda arena: {"ticket": _expired(arena)},
    "of_a_disabled_user": lambda arena: {"ticket": _of_gone(arena)},
    "key_revoked": lambda arena: {"Authorization": f"Bearer {arena.keys['revoked']['key']}"},
    "key_expired": lambda arena: {"Authorization": f"Bearer {arena.keys['expired']['key']}"},
    "disabled_user": lambda arena: {"Authorization": f"Bearer {arena.keys['gone']['key']}"},
    "ticket_as_a_token": lambda arena: {"Authorization": f"Bearer {ticket_of(arena, arena.as_('ann'))}"},
}


def _for_a_sign_in(arena: Arena) -> str:
    ticket = ticket_of(arena, arena.as_("ann"))
    assert execute(arena, 'UPDATE "AuthTicket" SET purpose = ? WHERE hash = ?', "sign_in", digest(ticket)) == 1
    return ticket


def _expired(arena: Arena) -> str:
    ticket = ticket_of(arena, arena.as_("ann"))
    past = "2020-01-01T00:00:00.000+00:00"
    assert execute(arena, 'UPDATE "AuthTicket" SET expires_at = ? WHERE hash = ?', past, digest(ticket)) == 1
    return ticket


def _of_gone(arena: Arena) -> str:
    ticket = ticket_of(arena, arena.as_("ann"))
    gone = arena.one('SELECT id FROM "User" WHERE name = ?', "gone")
    statement = 'UPDATE "AuthTicket" SET user_id = ?, session_id = NULL WHERE hash = ?'
    assert execute(arena, statement, gone, digest(ticket)) == 1
    return ticket


@pytest.fixture(autouse=True)
def no_tickets(arena: Arena) -> Iterator[None]:
    """Those that a test was refused with, and that stay good, are no other test's."""
    yield
    execute(arena, 'DELETE FROM "AuthTicket"')


@pytest.mark.parametrize("how", SHOWN)
def test_what_is_no_good_ticket_opens_nothing(arena: Arena, thread: str, how: str):
    shown = SHOWN[how](arena)
    assert refusal(arena, thread, **shown) == REFUSED


def test_without_a_ticket_nothing_opens_whatever_stands_in_the_address(arena: Arena, thread: str):
    ticket, token = ticket_of(arena, arena.as_("ann")), arena.tokens["ann"]["access_token"]
    with arena.unchanged():
        for query in ("", f"?ticket={ticket}", f"?token={token}", f"?access_token={token}", f"?api_key={token}"):
            assert refusal(arena, thread, query=query) == (401, "not_authenticated")
        cookie = {"Cookie": f"token={token}; ticket={ticket}"}
        assert refusal(arena, thread, **cookie) == (401, "not_authenticated")


def test_a_ticket_is_good_once(arena: Arena, thread: str):
    ticket = ticket_of(arena, arena.as_("ann"))
    with opened(arena, thread, ticket=ticket) as socket:
        assert json.loads(socket.recv())["type"] == "hello"
        assert refusal(arena, thread, ticket=ticket) == REFUSED  # while it is open
    assert refusal(arena, thread, ticket=ticket) == REFUSED


def test_of_many_who_show_a_ticket_at_once_one_gets_in(arena: Arena, thread: str):
    ticket = ticket_of(arena, arena.as_("ann"))

    def attempt(_: int) -> int:
        try:
            with opened(arena, thread, ticket=ticket):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(attempt, range(8)))
    assert statuses == [101, *[401] * 7]


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_somebody_elses_ticket_opens_nothing_of_ann(arena: Arena, thread: str, who: str):
    """A colleague's, and another company's admin's. It is used up by that."""
    ticket = ticket_of(arena, arena.as_(who))
    assert refusal(arena, thread, ticket=ticket) == (404, "thread_not_found")
    assert refusal(arena, thread, ticket=ticket) == REFUSED


@pytest.mark.parametrize("who", ["ann", "vera", "boss"])
def test_nobodys_ticket_opens_another_companys_thread(arena: Arena, who: str):
    for place in (arena.ids["thread"], "a" * 24, "%25", "x' OR '1'='1".replace(" ", "%20")):
        ticket = ticket_of(arena, arena.as_(who))
        assert refusal(arena, place, ticket=ticket) == (404, "thread_not_found")


def test_a_ticket_reaches_no_further_than_the_key_that_asked_for_it(arena: Arena, thread: str):
    ticket = ticket_of(arena, arena.with_key("reader"))
    assert refusal(arena, thread, ticket=ticket) == (403, "scope_missing")
    assert refusal(arena, thread, **arena.with_key("reader")) == (403, "scope_missing")


# ---------------------------------------------------------------- pages of other sites

ORIGINS = ["https://evil.example", "null", "", "file://", "http://localhost.evil.example", "https://127.0.0.1"]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("way", ["ticket", "token"])
def test_a_page_of_another_site_opens_nothing(arena: Arena, thread: str, origin: str, way: str):
    shown: dict[str, Any] = arena.as_("ann") if way == "token" else {"ticket": ticket_of(arena, arena.as_("ann"))}
    assert refusal(arena, thread, Origin=origin, **shown) == (403, "origin_not_allowed")


# ---------------------------------------------------------------- on a socket of one's own

REACHES: dict[str, tuple[dict[str, Any], str]] = {
    "follow": ({"type": "resume", "run_id": "{run}"}, "run_not_found"),
    "cancel": ({"type": "cancel", "run_id": "{run}"}, "run_not_found"),
    "approve": ({"type": "approve", "approval_id": "{approval}", "digest": "d" * 64}, "approval_not_found"),
    "reject": ({"type": "reject", "approval_id": "{approval}", "digest": "d" * 64}, "approval_not_found"),
    "attach": ({"type": "send", "input": "hello", "documents": ["{document}"]}, "document_not_found"),
    "be_another": ({"type": "send", "input": "hello", "user_id": "x", "roles": ["admin"]}, "invalid_message"),
    "ask_elsewhere": ({"type": "send", "input": "hello", "thread_id": "{thread}"}, "invalid_message"),
}


@pytest.mark.parametrize("how", REACHES)
@pytest.mark.parametrize("who", ["ann", "boss"])
def test_nothing_of_another_company_is_reached_from_an_open_socket(arena: Arena, how: str, who: str):
    message, code = REACHES[how]
    message = {name: _filled(value, arena.ids) for name, value in message.items()}
    own = arena.http.post("/v1/threads", headers=arena.as_(who)).raise_for_status().json()["id"]
    with arena.unchanged(), opened(arena, own, **arena.as_(who)) as socket:
        assert json.loads(socket.recv())["type"] == "hello"
        socket.send(json.dumps(message))
        said = json.loads(socket.recv())
    assert (said["type"], said["code"]) == ("error", code)


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, ids) for one in value]  # pyright: ignore[reportUnknownVariableType] JSON
    return value.format(**ids) if isinstance(value, str) else value


def test_a_ticket_is_not_told_to_anybody_without_a_sign_in(arena: Arena):
    with arena.unchanged():
        answer = httpx.post(f"{arena.server.url}/v1/auth/tickets")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
