"""Signing in with what is not right: one answer, whatever is wrong, and nobody is signed in."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.arena import PASSWORD, Arena, refused

pytestmark = pytest.mark.service

TOKEN = "/v1/auth/token"
PAIRS: dict[str, tuple[str, str]] = {
    "wrong_password": ("boss", "wrong horse battery"),
    "empty_password": ("boss", ""),
    "empty_name": ("", PASSWORD),
    "unknown_name": ("nobody-of-that-name", PASSWORD),
    "disabled_user": ("gone", PASSWORD),
    "user_without_password": ("nopass", ""),
    "user_without_password_none": ("nopass", "None"),
    "user_without_password_null": ("nopass", "null"),
    "name_with_a_space": ("boss ", PASSWORD),
    "name_that_looks_alike": ("b\u043ess", PASSWORD),
    "name_of_sql": ("boss' --", PASSWORD),
    "name_of_a_pattern": ("b%", PASSWORD),
    "name_of_json": ('{"not": null}', PASSWORD),
    "password_in_capitals": ("boss", PASSWORD.upper()),
    "password_with_a_space": ("boss", PASSWORD + " "),
    "half_a_password": ("boss", PASSWORD[:-1]),
    "longest_password": ("boss", "x" * 1024),
}


@pytest.mark.parametrize("how", PAIRS)
def test_what_does_not_fit_gets_one_answer(arena: Arena, how: str):
    name, password = PAIRS[how]
    arena.forgive()
    with arena.unchanged():
        answer = arena.http.post(TOKEN, data={"grant_type": "password", "username": name, "password": password})
        refused(answer, 400, "invalid_grant")
    assert answer.json()["detail"] == "The name, the password or the token is not valid."
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("name", "password"), [("boss\0", PASSWORD), ("boss", PASSWORD + "\0x")])
def test_what_is_no_text_is_not_even_looked_at(arena: Arena, name: str, password: str):
    arena.forgive()
    with arena.unchanged():
        answer = arena.http.post(TOKEN, data={"grant_type": "password", "username": name, "password": password})
        refused(answer, 400, "malformed_request")
    assert "set-cookie" not in answer.headers


def form(**changes: Any) -> dict[str, Any]:
    return {"grant_type": "password", "username": "ann", "password": PASSWORD, **changes}


FORMS: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "grant_unknown": (form(grant_type="client_credentials"), (422, "validation_failed")),
    "grant_implicit": (form(grant_type="token"), (422, "validation_failed")),
    "grant_of_assertions": (form(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer"), (422, "validation_failed")),
    "grant_missing": ({"username": "ann", "password": PASSWORD}, (422, "validation_failed")),
    "grant_twice": (form(grant_type=["password", "refresh_token"]), (400, "invalid_request")),
    "name_twice": (form(username=["ann", "boss"]), (400, "invalid_request")),
    "another_app": (form(client_id="evil-app"), (400, "unauthorized_client")),
    "a_secret_of_an_app": (form(client_secret="x"), (422, "validation_failed")),
    "scope_unknown": (form(scope="root"), (400, "invalid_scope")),
    "scope_of_both": (form(scope="read root"), (400, "invalid_scope")),
    "password_too_long": (form(password="x" * 1025), (422, "validation_failed")),
    "name_too_long": (form(username="x" * 1025), (422, "validation_failed")),
    "roles": (form(roles="admin"), (422, "validation_failed")),
    "user_id": (form(user_id="boss"), (422, "validation_failed")),
    "tenant_id": (form(tenant_id="other"), (422, "validation_failed")),
    "sub": (form(sub="boss"), (422, "validation_failed")),
    "expires_in": (form(expires_in="999999999"), (422, "validation_failed")),
    "refresh_empty": ({"grant_type": "refresh_token"}, (400, "invalid_grant")),
    "refresh_made_up": (form(grant_type="refresh_token", refresh_token="dcr_" + "x" * 43), (400, "invalid_grant")),
    "refresh_of_sql": (form(grant_type="refresh_token", refresh_token="' OR '1'='1"), (400, "invalid_grant")),
    "refresh_with_more_scope": (
        form(grant_type="refresh_token", refresh_token="dcr_x", scope="admin"),
        (400, "invalid_scope"),
    ),
    "code_empty": ({"grant_type": "authorization_code"}, (400, "invalid_grant")),
    "code_made_up": (form(grant_type="authorization_code", code="dct_" + "x" * 43), (400, "invalid_grant")),
}


@pytest.mark.parametrize("how", FORMS)
def test_a_form_that_is_not_right_signs_nobody_in(arena: Arena, how: str):
    data, (status, code) = FORMS[how]
    with arena.unchanged():
        refused(arena.http.post(TOKEN, data=data), status, code)


@pytest.mark.parametrize("kind", ["access_token", "key", "gone"])
def test_what_is_no_refresh_token_refreshes_nothing(arena: Arena, kind: str):
    token = {
        "access_token": arena.tokens["boss"]["access_token"],
        "key": arena.keys["everything"]["key"],
        "gone": arena.tokens["gone"]["refresh_token"],
    }[kind]
    with arena.unchanged():
        answer = arena.http.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})
        refused(answer, 400, "invalid_grant")


def test_a_ticket_for_a_socket_is_no_sign_in(arena: Arena):
    ticket = arena.http.post("/v1/auth/tickets", headers=arena.as_("ann")).json()["ticket"]
    sessions = arena.state()["AuthSession"]
    answer = arena.http.post(TOKEN, data={"grant_type": "authorization_code", "code": ticket})
    refused(answer, 400, "invalid_grant")
    assert arena.state()["AuthSession"] == sessions


def test_a_password_in_an_address_is_not_read(arena: Arena):
    refused(arena.http.get(TOKEN, params=form()), 405, "method_not_allowed")


def test_a_form_in_json_is_not_read(arena: Arena):
    refused(arena.http.post(TOKEN, json=form()), 422, "validation_failed")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


BASIC: dict[str, str] = {
    "wrong_password": basic("boss:wrong horse battery"),
    "unknown_name": basic(f"nobody:{PASSWORD}"),
    "disabled": basic(f"gone:{PASSWORD}"),
    "no_password_known": basic("nopass:"),
    "no_colon": basic("boss"),
    "only_a_colon": basic(":"),
    "no_base64": "Basic boss:correct horse battery",
    "half_base64": basic(f"boss:{PASSWORD}")[:-3],
    "with_a_zero": basic(f"boss\0:{PASSWORD}"),
    "no_utf8": "Basic " + base64.b64encode(b"boss:\xff\xfe").decode(),
    "endless": basic("boss:" + "x" * 4000),
    "colon_in_the_name": basic(f"boss:x:{PASSWORD}"),
}


@pytest.mark.parametrize("how", BASIC)
def test_basic_credentials_that_do_not_fit_are_refused(arena: Arena, how: str):
    arena.forgive()
    with arena.unchanged():
        answer = arena.http.get("/v1/me", headers={"Authorization": BASIC[how]})
        refused(answer, 401, "credentials_invalid")
    assert "basic" not in answer.headers["www-authenticate"].lower()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"]
)
def test_a_page_of_another_site_does_not_use_the_password_that_a_browser_remembers(arena: Arena, origin: str):
    headers = {"Authorization": basic(f"boss:{PASSWORD}"), "Origin": origin}
    with arena.unchanged():
        refused(arena.http.post("/v1/threads", headers=headers), 403, "origin_not_allowed")
