"""Who one is does not follow from what anybody may write: headers, cookies, addresses, methods."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.support.arena import Arena, refused

pytestmark = pytest.mark.service

NAMING: dict[str, dict[str, str]] = {
    "x_user": {"X-User": "boss"},
    "x_user_id": {"X-User-Id": "boss"},
    "x_forwarded_user": {"X-Forwarded-User": "boss"},
    "x_forwarded_email": {"X-Forwarded-Email": "boss@acme.example"},
    "x_forwarded_preferred_username": {"X-Forwarded-Preferred-Username": "boss"},
    "x_forwarded_access_token": {"X-Forwarded-Access-Token": "x"},
    "x_remote_user": {"X-Remote-User": "boss"},
    "remote_user": {"Remote-User": "boss"},
    "remote_groups": {"Remote-Groups": "admin"},
    "x_auth_request_user": {"X-Auth-Request-User": "boss"},
    "x_webauth_user": {"X-WebAuth-User": "boss"},
    "x_authentik_username": {"X-Authentik-Username": "boss"},
    "x_ms_client_principal": {"X-MS-CLIENT-PRINCIPAL-NAME": "boss"},
    "x_goog_iap": {"X-Goog-Authenticated-User-Email": "accounts.google.com:boss"},
    "cf_access": {"Cf-Access-Authenticated-User-Email": "boss@acme.example"},
    "tailscale": {"Tailscale-User-Login": "boss"},
    "x_roles": {"X-Roles": "admin"},
    "x_tenant": {"X-Tenant-Id": "other"},
    "x_principal": {"X-Principal": '{"user_id": null, "roles": ["admin"]}'},
    "from_loopback": {"X-Forwarded-For": "127.0.0.1"},
    "forwarded": {"Forwarded": "for=127.0.0.1;host=localhost"},
    "x_real_ip": {"X-Real-IP": "127.0.0.1"},
    "localhost_by_name": {"Host": "localhost"},
    "forwarded_host": {"X-Forwarded-Host": "localhost"},
    "original_url": {"X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"},
    "internal": {"X-Internal": "true", "X-Deskclerk-Local": "1"},
    "off_by_header": {"DESKCLERK_AUTH": "off", "X-Deskclerk-Auth": "off"},
}


@pytest.mark.parametrize("how", NAMING)
def test_nobody_becomes_somebody_by_a_header(arena: Arena, how: str):
    refused(arena.http.get("/v1/me", headers=NAMING[how]), 401, "not_authenticated")


@pytest.mark.parametrize("how", ["x_roles", "x_principal", "x_user", "remote_groups", "x_auth_request_user"])
def test_a_viewer_becomes_no_more_by_a_header(arena: Arena, how: str):
    with arena.unchanged():
        refused(arena.http.get("/v1/audit", headers={**arena.as_("vera"), **NAMING[how]}), 403, "forbidden")


@pytest.mark.parametrize("name", ["access_token", "token", "api_key", "key", "ticket", "Authorization", "jwt"])
def test_a_token_in_an_address_is_not_read(arena: Arena, name: str):
    answer = arena.http.get("/v1/me", params={name: arena.tokens["boss"]["access_token"]})
    refused(answer, 401, "not_authenticated")


@pytest.mark.parametrize("name", ["access_token", "token", "session", "deskclerk_browser", "deskclerk_sign_in"])
def test_a_token_in_a_cookie_is_not_read(arena: Arena, name: str):
    answer = arena.http.get("/v1/me", headers={"Cookie": f"{name}={arena.tokens['boss']['access_token']}"})
    refused(answer, 401, "not_authenticated")


@pytest.mark.parametrize("scheme", ["Token", "JWT", "ApiKey", "Digest", "Negotiate", "NTLM", "Bearer:", "BearerX"])
def test_another_scheme_is_not_read(arena: Arena, scheme: str):
    token = arena.tokens["boss"]["access_token"]
    refused(arena.http.get("/v1/me", headers={"Authorization": f"{scheme} {token}"}), 401, "credentials_invalid")


@pytest.mark.parametrize("value", ["Bearer", "Basic", "bearer null", "Bearer undefined", "Bearer {}", "x"])
def test_an_empty_credential_is_refused(arena: Arena, value: str):
    refused(arena.http.get("/v1/me", headers={"Authorization": value}), 401, "credentials_invalid")


def test_of_two_credentials_none_counts(arena: Arena):
    both = [("Authorization", arena.as_("ann")["Authorization"]), ("Authorization", arena.as_("boss")["Authorization"])]
    refused(arena.http.get("/v1/me", headers=both), 401, "credentials_invalid")


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_in_a_header_is_not_read(arena: Arena, header: str):
    with arena.unchanged():
        answer = arena.http.post(
            f"/v1/auth/keys/{arena.keys['reader']['id']}", headers={**arena.as_("boss"), header: "DELETE"}
        )
        refused(answer, 405, "method_not_allowed")


def raw(arena: Arena, request: bytes) -> bytes:
    """All that the server answers on one connection."""
    parts = urlsplit(arena.server.url)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=5) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass  # it keeps the connection open: what it has said is all
        return answer


SMUGGLED = b"DELETE /v1/auth/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\nContent-Length: 0\r\n\r\n"
AMBIGUOUS: dict[str, list[bytes]] = {
    "two_lengths": [b"Content-Length: 0", b"Content-Length: 90"],
    "length_and_chunks": [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
    "negative_length": [b"Content-Length: -1"],
    "length_with_plus": [b"Content-Length: +5"],
    "length_in_hex": [b"Content-Length: 0x5"],
    "length_a_list": [b"Content-Length: 5, 5"],
    "space_before_colon": [b"Content-Length : 5"],
    "zero_in_a_name": [b"X-User\0: boss"],
    "zero_in_a_value": [b"X-User: bo\0ss"],
    "return_in_a_value": [b"X-User: a\rAuthorization: Bearer x"],
    "name_without_colon": [b"Authorization Bearer x"],
    "unknown_coding": [b"Transfer-Encoding: xchunked"],
}


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_a_request_that_two_servers_could_read_differently_is_refused(arena: Arena, how: str):
    """And what hangs on behind it is not taken for a request of its own."""
    head = [b"POST /v1/auth/revoke HTTP/1.1", b"Host: localhost", *AMBIGUOUS[how]]
    tail = SMUGGLED % arena.as_("boss")["Authorization"].encode()
    with arena.unchanged():
        answer = raw(arena, b"\r\n".join(head) + b"\r\n\r\n" + tail)
    assert answer.split(b" ")[1] in {b"400", b"413", b"422"}, answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b" 204 " not in answer
