"""Fields that are not for the caller to fill in, scopes that do not reach, bodies without end, names with paths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.arena import Arena, refused

pytestmark = pytest.mark.service

THREADS, KEYS, SCHEDULES = "/v1/threads", "/v1/auth/keys", "/v1/schedules"
BODIES: dict[str, dict[str, Any]] = {
    THREADS: {"title": "mine"},
    "/v1/threads/{thread}/runs": {"input": "hello"},
    KEYS: {"name": "mine", "scopes": ["read"]},
    SCHEDULES: {"name": "mine", "cron": "0 8 * * 1", "input": "hello"},
    "/v1/approvals/{approval}": {"decision": "approve", "digest": "d" * 64},
    "/v1/effects/{effect}/settle": {"outcome": "executed"},
}
EXTRA: dict[str, dict[str, Any]] = {
    THREADS: {"id": "mine", "tenant_id": "other", "user_id": "x", "deleted_at": None, "created_at": "2020-01-01"},
    "/v1/threads/{thread}/runs": {
        "principal": {"roles": ["admin"]},
        "roles": ["admin"],
        "tenant_id": "other",
        "user_id": "x",
        "status": "succeeded",
        "model": "another",
        "state": {},
        "approved": True,
    },
    KEYS: {
        "key": "dck_mine",
        "hash": "x",
        "user_id": "x",
        "expires_at": "2999-01-01",
        "tenant_id": "other",
        "roles": ["admin"],
    },
    SCHEDULES: {"principal": {"roles": ["admin"]}, "roles": ["admin"], "user_id": "x", "tenant_id": "other"},
    "/v1/approvals/{approval}": {"status": "approved", "decided_by_id": "x", "tenant_id": "other", "arguments": {}},
    "/v1/effects/{effect}/settle": {"status": "executed", "settled_by": "x", "result": {}, "tenant_id": "other"},
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in EXTRA.items() for name in names])
def test_a_field_that_is_not_for_the_caller_is_refused(arena: Arena, path: str, name: str):
    body = {**BODIES[path], name: EXTRA[path][name]}
    with arena.unchanged():
        answer = arena.http.post(path.format(**arena.ids), json=body, headers=arena.as_("boss"))
        refused(answer, 422, "validation_failed")
    assert [error["path"] for error in answer.json()["errors"]] == [f"body.{name}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("scopes", []), ("scopes", ["root"]), ("scopes", "admin"), ("days", 0), ("days", 10_000), ("name", "")],
)
def test_a_key_has_bounds(arena: Arena, field: str, value: Any):
    with arena.unchanged():
        answer = arena.http.post(KEYS, json={**BODIES[KEYS], field: value}, headers=arena.as_("boss"))
        refused(answer, 422, "validation_failed")


REACH: dict[str, tuple[str, str, str, Any, tuple[int, str]]] = {
    "reader_asks": ("reader", "POST", "/v1/threads", {}, (403, "scope_missing")),
    "reader_deletes": ("reader", "DELETE", "/v1/documents/x", None, (403, "scope_missing")),
    "reader_reads_the_audit": ("reader", "GET", "/v1/audit", None, (403, "scope_missing")),
    "runner_reads_the_audit": ("runner", "GET", "/v1/audit", None, (403, "scope_missing")),
    "runner_decides": ("runner", "POST", "/v1/approvals/x", BODIES["/v1/approvals/{approval}"], (403, "scope_missing")),
    "runner_settles": ("runner", "POST", "/v1/effects/x/settle", {"outcome": "executed"}, (403, "scope_missing")),
    "approver_asks": ("approver", "POST", "/v1/threads", {}, (403, "scope_missing")),
    "approver_schedules": ("approver", "POST", SCHEDULES, BODIES[SCHEDULES], (403, "scope_missing")),
    "key_makes_a_key": ("everything", "POST", KEYS, BODIES[KEYS], (403, "person_needed")),
    "key_lists_keys": ("everything", "GET", KEYS, None, (403, "person_needed")),
    "key_lists_sign_ins": ("everything", "GET", "/v1/auth/sessions", None, (403, "person_needed")),
    "key_signs_its_owner_out": ("everything", "DELETE", "/v1/auth/sessions", None, (403, "person_needed")),
}


@pytest.mark.parametrize("how", REACH)
def test_a_key_reaches_no_further_than_its_scopes(arena: Arena, how: str):
    key, method, path, body, (status, code) = REACH[how]
    with arena.unchanged():
        refused(arena.http.request(method, path, json=body, headers=arena.with_key(key)), status, code)


def test_a_sign_in_that_is_limited_makes_no_key_without_limits(arena: Arena):
    form = {"grant_type": "password", "username": "vera", "password": "correct horse battery", "scope": "read"}
    token = arena.http.post("/v1/auth/token", data=form).json()["access_token"]
    with arena.unchanged():
        answer = arena.http.post(KEYS, json=BODIES[KEYS], headers={"Authorization": f"Bearer {token}"})
        refused(answer, 403, "person_needed")


PATHS = [*BODIES, "/v1/auth/token", "/v1/auth/revoke", "/v1/documents"]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_says_that_it_is_too_large_is_refused(arena: Arena, path: str):
    with arena.unchanged():
        answer = arena.http.post(path.format(**arena.ids), content=b"x" * 11_000_000, headers=arena.as_("ann"))
        refused(answer, 413, "body_too_large")


@pytest.mark.parametrize("path", [THREADS, "/v1/auth/token", KEYS])
def test_a_body_that_does_not_say_it_is_cut_off(arena: Arena, path: str):
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 65536

    headers = {**arena.as_("boss"), "Content-Type": "application/json"}
    if path.endswith("token"):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    with arena.unchanged():
        refused(arena.http.post(path, content=endless(), headers=headers), 413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"title": ' + b'{"a":' * 50_000, b'{"title": "\xff"}', b"\0", b"{}{}", b"NaN"],
    ids=["lists_in_lists", "objects_in_objects", "no_utf8", "a_zero", "two_bodies", "no_number"],
)
def test_json_that_is_none_or_without_end_is_refused(arena: Arena, body: bytes):
    headers = {**arena.as_("boss"), "Content-Type": "application/json"}
    with arena.unchanged():
        answer = arena.http.post(THREADS, content=body, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"malformed_json", "malformed_request", "validation_failed"}


NAMES = ["../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow", "C:\\x.txt", "....//x.txt", "a\0.txt", "\u202etxt.exe"]
CONTENTS = {
    "program": b"\x7fELF" + b"\0" * 64,
    "archive": b"PK\x03\x04" + b"\0" * 64,
    "picture": b"\x89PNG\r\n\x1a\n\0",
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_none_of_ours_is_refused_whatever_its_name(arena: Arena, name: str, kind: str):
    with arena.unchanged():
        files = {"file": (name, CONTENTS[kind], "application/pdf")}
        answer = arena.http.post("/v1/documents", files=files, headers=arena.as_("ann"))
        refused(answer, 415, "document_unsupported")
    shown = answer.json()["detail"]
    assert "/" not in shown
    assert "\\" not in json.dumps(shown).replace('\\"', "")


@pytest.mark.parametrize(
    "path", ["..%2f..%2fetc%2fpasswd", "%2e%2e%2fetc%2fpasswd", "..%5c..%5cboot.ini", "%00", ".env", "desk.db"]
)
def test_a_path_is_no_document(arena: Arena, path: str):
    with arena.unchanged():
        answer = arena.http.delete(f"/v1/documents/{path}", headers=arena.as_("boss"))
    assert (answer.status_code, answer.json()["code"]) in {
        (404, "document_not_found"),
        (404, "route_not_found"),
        (400, "malformed_request"),
    }
