"""Redirects that lead elsewhere, and callbacks that nobody set out for."""

from __future__ import annotations

import pytest

from tests.support.arena import Arena, refused

pytestmark = pytest.mark.service

LOGIN, CALLBACK = "/v1/auth/oauth/acme/login", "/v1/auth/oauth/acme/callback"
TARGETS = {
    "another_site": "https://evil.example/",
    "without_scheme": "//evil.example/",
    "three_slashes": "///evil.example/",
    "backslash": "/\\evil.example/",
    "two_backslashes": "\\\\evil.example/",
    "encoded_slash": "/%2f/evil.example",
    "encoded_backslash": "/%5cevil.example",
    "twice_encoded": "/%252f%252fevil.example",
    "tab": "/\t/evil.example",
    "line_feed": "/\n/evil.example",
    "header_injection": "/chat\r\nSet-Cookie: a=b",
    "javascript": "javascript:alert(1)",
    "javascript_with_slashes": "javascript://%0aalert(1)",
    "data": "data:text/html,hello",
    "scheme_without_slashes": "https:evil.example",
    "user_part": "/@evil.example",
    "user_part_of_an_address": "https://localhost@evil.example",
    "later_double_slash": "/chat//evil.example",
    "dots_and_slashes": "/..//evil.example",
    "relative": "evil.example",
    "empty": "",
    "space_before": " /chat",
    "another_code": "/chat#code=attacker",
    "semicolon": "/;@evil.example",
    "wide_slash": "/\uff0fevil.example",
    "too_long": "/" + "a" * 511 + "b",
    "own_site_by_name": "http://127.0.0.1/",
}


@pytest.mark.parametrize("how", TARGETS)
def test_nobody_is_sent_to_another_site(arena: Arena, how: str):
    with arena.unchanged():
        answer = arena.http.get(LOGIN, params={"redirect": TARGETS[how]}, follow_redirects=False)
        if how == "too_long":
            refused(answer, 422, "validation_failed")
        else:
            refused(answer, 400, "redirect_not_allowed")
    assert "location" not in answer.headers


CALLBACKS: dict[str, dict[str, str]] = {
    "empty": {},
    "code_only": {"code": "stolen"},
    "state_only": {"state": "x" * 43},
    "code_and_state": {"code": "stolen", "state": "x" * 43},
    "state_of_sql": {"code": "stolen", "state": "' OR '1'='1"},
    "endless_state": {"code": "stolen", "state": "x" * 5000},
    "error_with_a_script": {"error": "<script>alert(1)</script>", "state": "x"},
    "a_token_in_place_of_a_code": {"id_token": "x", "access_token": "y", "state": "x"},
}


@pytest.mark.parametrize("how", CALLBACKS)
def test_a_callback_that_nobody_set_out_for_is_refused(arena: Arena, how: str):
    with arena.unchanged():
        answer = arena.http.get(CALLBACK, params=CALLBACKS[how])
        refused(answer, 400, "oauth_state_invalid")
    assert "script" not in answer.text


@pytest.mark.parametrize(
    ("name", "status"), [("evil", 404), ("../acme", 404), ("ACME", 404), ("acme;x", 404), ("acme%00", 400)]
)
def test_a_provider_that_is_not_configured_is_not_found(arena: Arena, name: str, status: int):
    with arena.unchanged():
        assert arena.http.get(f"/v1/auth/oauth/{name}/login").status_code == status
        assert arena.http.get(f"/v1/auth/oauth/{name}/callback").status_code == status


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"])
def test_the_way_back_does_not_follow_from_the_host_that_was_asked_for(arena: Arena, host: str):
    with arena.unchanged():
        refused(arena.http.get(LOGIN, headers={"Host": host}), 421, "host_not_allowed")


def test_a_callback_is_not_posted(arena: Arena):
    refused(arena.http.post(CALLBACK, data={"code": "x", "state": "y"}), 405, "method_not_allowed")
