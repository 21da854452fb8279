"""Ids of another company's things, guessed or known: in every route the words for what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.arena import Arena, refused

pytestmark = pytest.mark.service

# method, path, body, code
ROUTES: dict[str, tuple[str, str, Any, str]] = {
    "read_thread": ("GET", "/v1/threads/{thread}", None, "thread_not_found"),
    "delete_thread": ("DELETE", "/v1/threads/{thread}", None, "thread_not_found"),
    "ask_in_thread": ("POST", "/v1/threads/{thread}/runs", {"input": "hello"}, "thread_not_found"),
    "read_run": ("GET", "/v1/runs/{run}", None, "run_not_found"),
    "read_events": ("GET", "/v1/runs/{run}/events", None, "run_not_found"),
    "cancel_run": ("POST", "/v1/runs/{run}/cancel", {}, "run_not_found"),
    "delete_document": ("DELETE", "/v1/documents/{document}", None, "document_not_found"),
    "revoke_key": ("DELETE", "/v1/auth/keys/{key}", None, "key_not_found"),
    "revoke_session": ("DELETE", "/v1/auth/sessions/{session}", None, "session_not_found"),
    "decide": ("POST", "/v1/approvals/{approval}", {"decision": "approve", "digest": "d" * 64}, "approval_not_found"),
    "settle": ("POST", "/v1/effects/{effect}/settle", {"outcome": "executed"}, "effect_not_found"),
}
GUESSES = {"made_up": "a" * 24, "sql": "x' OR '1'='1", "object": '{"not": null}', "wildcard": "%25"}


@pytest.mark.parametrize("how", ROUTES)
def test_another_companys_is_not_found(arena: Arena, how: str):
    method, path, body, code = ROUTES[how]
    with arena.unchanged():
        answer = arena.http.request(method, path.format(**arena.ids), json=body, headers=arena.as_("boss"))
        refused(answer, 404, code)


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize("how", ROUTES)
def test_a_guessed_id_is_not_found(arena: Arena, how: str, guess: str):
    method, path, body, code = ROUTES[how]
    ids = dict.fromkeys(arena.ids, GUESSES[guess])
    with arena.unchanged():
        answer = arena.http.request(method, path.format(**ids), json=body, headers=arena.as_("boss"))
        refused(answer, 404, code)


@pytest.mark.parametrize("kind", ["keys", "sessions"])
def test_a_colleagues_key_or_sign_in_is_not_found_either(arena: Arena, kind: str):
    """An admin's too: what signs somebody in is theirs alone."""
    own = {"keys": arena.keys["reader"]["id"], "sessions": arena.claims("boss")["sid"]}[kind]
    with arena.unchanged():
        answer = arena.http.delete(f"/v1/auth/{kind}/{own}", headers=arena.as_("ann"))
        refused(answer, 404, f"{kind[:-1]}_not_found")


@pytest.mark.parametrize("kind", ["threads", "runs", "documents", "approvals", "effects", "audit"])
def test_lists_hold_nothing_of_another_company(arena: Arena, kind: str):
    answer = arena.http.get(f"/v1/{kind}", params={"limit": 200}, headers=arena.as_("boss"))
    assert answer.status_code == 200, answer.text
    assert not any(one in answer.text for one in arena.ids.values())


def test_a_document_of_another_company_cannot_be_attached(arena: Arena):
    thread = arena.http.post("/v1/threads", headers=arena.as_("ann")).json()["id"]
    with arena.unchanged():
        body = {"input": "hello", "documents": [arena.ids["document"]]}
        answer = arena.http.post(f"/v1/threads/{thread}/runs", json=body, headers=arena.as_("ann"))
        refused(answer, 404, "document_not_found")
