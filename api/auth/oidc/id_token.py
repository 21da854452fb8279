"""Who came back: the ID token of a provider, verified. Source: OpenID Connect Core 1.0, 3.1.3.7."""

from __future__ import annotations

import base64
import hmac
import logging
from dataclasses import dataclass
from typing import Any

import jwt

from api.auth.oidc.discovery import Discovery
from api.auth.settings import Provider
from api.problems import Problem

log = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]  # none that a client's secret signs, or nobody
LEEWAY = 60  # seconds
LONGEST = 16_384  # characters
LONGEST_SUBJECT = 255  # characters. Source: the same, 2


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for. `email` only where the provider says that it has verified it."""

    issuer: str
    subject: str
    email: str | None


def not_believed() -> Problem:
    return Problem(401, "identity_not_believed", "What the provider sent does not sign anybody in; begin again.")


async def verify_id_token(discovery: Discovery, provider: Provider, token: dict[str, Any], *, nonce: str) -> Identity:
    """Check signature, issuer, audience, times, nonce and the access token's hash.

    Raises:
        Problem: 401 `identity_not_believed`; 502 `provider_unavailable`.
    """
    raw = token.get("id_token")
    if not isinstance(raw, str) or len(raw) > LONGEST:
        raise not_believed()
    try:
        header = jwt.get_unverified_header(raw)
        algorithm = str(header.get("alg"))
        key = await discovery.key(header.get("kid"))
        if key is None or algorithm not in ALGORITHMS:
            raise jwt.InvalidTokenError("no key of that name, or no algorithm that we take")
        claims = jwt.decode(
            raw,
            key,
            [algorithm],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise jwt.InvalidTokenError("another nonce")
        _check_party(claims, provider.client_id)
        _check_access_token(claims, algorithm, token.get("access_token"))
    except jwt.PyJWTError as error:
        log.warning("an ID token of %s was refused: %s", provider.issuer, error)
        raise not_believed() from None
    subject, email = claims["sub"], claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise not_believed()
    verified = isinstance(email, str) and claims.get("email_verified") is True
    return Identity(provider.issuer, subject, email if verified else None)


def _check_party(claims: dict[str, Any], client_id: str) -> None:
    audience, party = claims["aud"], claims.get("azp")
    if (isinstance(audience, list) and len(audience) > 1 and party is None) or party not in {None, client_id}:  # pyright: ignore[reportUnknownArgumentType] - of JSON
        raise jwt.InvalidTokenError("for another party")


def _check_access_token(claims: dict[str, Any], algorithm: str, access_token: object) -> None:
    expected = claims.get("at_hash")
    if expected is None:
        return
    if not isinstance(access_token, str):
        raise jwt.InvalidTokenError("a hash of no access token")
    whole = jwt.get_algorithm_by_name(algorithm).compute_hash_digest(access_token.encode())
    half = base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=")
    if not hmac.compare_digest(half, str(expected).encode()):
        raise jwt.InvalidTokenError("a hash of another access token")
