"""Access tokens that are not what they say: each is refused with the same words."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.arena import Arena, refused

pytestmark = pytest.mark.service

Forge = Callable[[Arena], str]
PEM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RAW = (Encoding.Raw, PublicFormat.Raw)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(arena: Arena) -> list[str]:
    return arena.tokens["boss"]["access_token"].split(".")


def header(arena: Arena, **changes: Any) -> str:
    """A header with these changes, and the signature of the good token or none."""
    usual = {"alg": "EdDSA", "kid": arena.signing_key[0], "typ": "at+jwt", **changes}
    return b64(json.dumps({name: value for name, value in usual.items() if value is not ...}).encode())


def unsigned(**changes: Any) -> Forge:
    return lambda arena: f"{header(arena, **changes)}.{parts(arena)[1]}."


def resigned(**changes: Any) -> Forge:
    """A header that the library would not write, over it a right signature of our own key."""

    def forge(arena: Arena) -> str:
        signed = f"{header(arena, **changes)}.{parts(arena)[1]}"
        return f"{signed}.{b64(arena.signing_key[1].sign(signed.encode()))}"

    return forge


def hmac_with_public_key(algorithm: str, *form: Any) -> Forge:
    """The oldest trick: the public key, taken for a shared secret."""

    def forge(arena: Arena) -> str:
        secret = arena.signing_key[1].public_key().public_bytes(*form)
        signed = f"{header(arena, alg=algorithm)}.{parts(arena)[1]}"
        mac = hmac.digest(secret, signed.encode(), algorithm.replace("HS", "sha"))
        return f"{signed}.{b64(mac)}"

    return forge


def claims(**changes: Any) -> Forge:
    return lambda arena: arena.signed(arena.claims(**changes))


def headers(**changes: Any) -> Forge:
    return lambda arena: arena.signed(arena.claims(), **changes)


def another_key(arena: Arena) -> str:
    kid, _ = arena.signing_key
    return jwt.encode(arena.claims(), Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": kid, "typ": "at+jwt"})


def another_curve(arena: Arena) -> str:
    kid, _ = arena.signing_key
    return jwt.encode(arena.claims(), generate_private_key(SECP256R1()), "ES256", headers={"kid": kid, "typ": "at+jwt"})


def embedded_key(arena: Arena) -> str:
    mine = Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(mine.public_key().public_bytes(*RAW))}
    kid, _ = arena.signing_key
    return jwt.encode(arena.claims(), mine, "EdDSA", headers={"kid": kid, "typ": "at+jwt", "jwk": jwk})


def changed_payload(arena: Arena) -> str:
    first, _, last = parts(arena)
    return f"{first}.{b64(json.dumps(arena.claims(sub='somebody')).encode())}.{last}"


def changed_signature(arena: Arena) -> str:
    first, middle, last = parts(arena)
    return f"{first}.{middle}.{'A' if last[0] != 'A' else 'B'}{last[1:]}"


def swapped_session(arena: Arena) -> str:
    """A clerk's sign-in under an admin's name."""
    return arena.signed(arena.claims("ann", sub=arena.claims("boss")["sub"]))


def swapped_user(arena: Arena) -> str:
    """An admin's sign-in under a clerk's name: not even that."""
    return arena.signed(arena.claims("boss", sub=arena.claims("ann")["sub"]))


NOW = int(time.time())
FORGERIES: dict[str, Forge] = {
    **{f"alg_{name}_without_signature": unsigned(alg=name) for name in ("none", "None", "NONE", "nOnE", "")},
    "alg_none_with_signature": lambda arena: f"{header(arena, alg='none')}.{parts(arena)[1]}.{parts(arena)[2]}",
    "alg_none_without_key_name": unsigned(alg="none", kid=...),
    "alg_missing": unsigned(alg=...),
    "alg_null": unsigned(alg=None),
    "alg_a_list": unsigned(alg=["EdDSA", "none"]),
    "alg_a_number": unsigned(alg=1),
    "alg_with_a_space": resigned(alg="EdDSA "),
    "alg_in_lower_case": resigned(alg="eddsa"),
    **{f"{name}_with_the_public_key_as_text": hmac_with_public_key(name, *PEM) for name in ("HS256", "HS384", "HS512")},
    "HS256_with_the_public_key_raw": hmac_with_public_key("HS256", *RAW),
    "RS256_said_and_not_done": resigned(alg="RS256"),
    "ES256_of_a_key_of_mine": another_curve,
    "EdDSA_of_a_key_of_mine": another_key,
    "key_of_mine_in_the_header": embedded_key,
    "no_signature": lambda arena: ".".join(parts(arena)[:2]) + ".",
    "changed_payload": changed_payload,
    "changed_signature": changed_signature,
    "shortened_signature": lambda arena: arena.tokens["boss"]["access_token"][:-4],
    "two_parts": lambda arena: ".".join(parts(arena)[:2]),
    "four_parts": lambda arena: arena.tokens["boss"]["access_token"] + ".x",
    "five_parts_as_if_encrypted": lambda arena: arena.tokens["boss"]["access_token"] + ".x.y",
    "one_word": lambda _: "token",
    "dots": lambda _: "...",
    "twice": lambda arena: arena.tokens["boss"]["access_token"] * 2,
    "two_tokens_with_a_comma": lambda arena: f"x,{arena.tokens['boss']['access_token']}",
    "two_tokens_with_a_space": lambda arena: f"x {arena.tokens['boss']['access_token']}",
    "megabytes_are_not_even_read": lambda _: "x" * 6000,
    "header_is_no_json": lambda arena: f"{b64(b'{')}.{parts(arena)[1]}.{parts(arena)[2]}",
    "header_is_a_list": lambda arena: f"{b64(b'[]')}.{parts(arena)[1]}.{parts(arena)[2]}",
    "header_is_deep": lambda arena: f"{b64(b'[' * 1000)}.{parts(arena)[1]}.{parts(arena)[2]}",
    "payload_is_a_list": lambda arena: f"{parts(arena)[0]}.{b64(b'[]')}.{parts(arena)[2]}",
    "audience_another": claims(aud="somebody-else"),
    "audience_missing": claims(aud=...),
    "audience_empty": claims(aud=""),
    "audience_null": claims(aud=None),
    "audience_a_list_with_ours": claims(aud=["somebody-else", "deskclerk"]),
    "audience_longer_than_ours": claims(aud="deskclerk2"),
    "issuer_another": claims(iss="https://evil.example"),
    "issuer_missing": claims(iss=...),
    "expiry_missing": claims(exp=...),
    "expiry_no_number": claims(exp="never"),
    "not_yet_valid": claims(nbf=NOW + 3600),
    "validity_missing": claims(nbf=...),
    "issued_in_the_future": claims(iat=NOW + 3600),
    "issued_no_number": claims(iat="yesterday"),
    "issued_missing": claims(iat=...),
    "id_missing": claims(jti=...),
    "subject_missing": claims(sub=...),
    "subject_a_number": claims(sub=1),
    "session_missing": claims(sid=...),
    "session_null": claims(sid=None),
    "session_a_number": claims(sid=1),
    "session_made_up": claims(sid="made-up"),
    "session_by_sql": claims(sid="' OR '1'='1"),
    "session_an_object": claims(sid={"not": None}),
    "session_of_somebody_else": swapped_session,
    "user_of_somebody_elses_session": swapped_user,
    "user_disabled": lambda arena: arena.tokens["gone"]["access_token"],
    **{
        f"kid_{name}": headers(kid=kid)
        for name, kid in {
            "unknown": "0123456789abcdef",
            "empty": "",
            "a_path": "../../../../dev/null",
            "a_file": "/etc/passwd",
            "sql": "' UNION SELECT 'key' --",
            "an_address": "http://127.0.0.1:9/jwks.json",
            "with_a_zero": "abc\0def",
            "very_long": "k" * 500,
            "a_command": "| whoami",
        }.items()
    },
    "kid_a_number": resigned(kid=1),
    "kid_null": resigned(kid=None),
    "kid_a_list": resigned(kid=["x"]),
    "kid_an_object": resigned(kid={"startswith": ""}),
    "kid_missing": resigned(kid=...),
    "header_with_jku": headers(jku="http://127.0.0.1:9/jwks.json"),
    "header_with_x5u": headers(x5u="http://127.0.0.1:9/cert.pem"),
    "header_with_x5c": headers(x5c=["MIIB"]),
    "header_with_crit": resigned(crit=["exp"]),
    "header_with_b64_false": resigned(b64=False, crit=["b64"]),
    "header_with_zip": headers(zip="DEF"),
    "header_with_cty": headers(cty="JWT"),
    "type_of_an_id_token": headers(typ="JWT"),
    "type_missing": resigned(typ=...),
    "type_of_a_logout_token": headers(typ="logout+jwt"),
    "a_refresh_token": lambda arena: arena.tokens["boss"]["refresh_token"],
    "a_ticket": lambda _: "dct_" + "x" * 43,
    "a_key_made_up": lambda _: "dck_" + "x" * 43,
    "a_key_without_its_end": lambda arena: arena.keys["everything"]["key"][:-1],
    "a_key_with_more": lambda arena: arena.keys["everything"]["key"] + "x",
    "a_key_by_its_hint": lambda arena: arena.keys["everything"]["hint"],
    "a_key_by_its_hash": lambda arena: arena.one('SELECT hash FROM "ApiKey" LIMIT 1'),
    "a_key_by_its_hash_with_prefix": lambda arena: "dck_" + arena.one('SELECT hash FROM "ApiKey" LIMIT 1'),
    "a_key_that_was_revoked": lambda arena: arena.keys["revoked"]["key"],
    "a_key_that_expired": lambda arena: arena.keys["expired"]["key"],
    "a_key_of_who_was_disabled": lambda arena: arena.keys["gone"]["key"],
}


def test_the_forger_could_forge_a_good_token(arena: Arena):
    """So each forgery is refused for what is wrong with it."""
    good = arena.signed(arena.claims())
    assert arena.http.get("/v1/audit", headers={"Authorization": f"Bearer {good}"}).status_code == 200


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_token_is_refused(arena: Arena, how: str):
    token = FORGERIES[how](arena)
    with arena.unchanged():
        answer = arena.http.get("/v1/audit", headers={"Authorization": f"Bearer {token}"})
        refused(answer, 401, "credentials_invalid")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_a_token_whose_time_is_over_is_refused_and_says_so(arena: Arena):
    token = arena.signed(arena.claims(exp=NOW - 60, iat=NOW - 120, nbf=NOW - 120))
    refused(arena.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401, "token_expired")
