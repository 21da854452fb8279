"""Access tokens: JWTs that say who and until when, signed by one of our keys (RFC 9068)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt

from api.auth.refusals import credentials_invalid, token_expired
from api.auth.signing_keys import ALGORITHM, SigningKeys

if TYPE_CHECKING:
    from prisma import Prisma

AUDIENCE = "deskclerk"
ISSUER = "deskclerk"
LEEWAY = timedelta(seconds=5)  # clocks of replicas
LONGEST = 2048  # characters; ours have some 500
_TYPE = "at+jwt"
_HEADERS = {"alg", "kid", "typ"}  # no `jku`, `jwk`, `x5u`, `crit`: whoever signs does not say how to verify
_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: str
    session_id: str


async def sign(db: Prisma, keys: SigningKeys, *, user_id: str, session_id: str, life: timedelta, now: datetime) -> str:
    """A token for a sign-in."""
    kid, key = await keys.to_sign(db, now=now)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "sid": session_id,
        "jti": secrets.token_hex(12),
        "iat": now,
        "nbf": now,
        "exp": now + life,
    }
    return jwt.encode(claims, key, ALGORITHM, headers={"kid": kid, "typ": _TYPE})


async def verify(db: Prisma, keys: SigningKeys, token: str, *, now: datetime) -> Claims:
    """What a token says, if it is ours and its time has come and not gone.

    Raises:
        Problem: 401 `credentials_invalid` or `token_expired`.
    """
    if len(token) > LONGEST:
        raise credentials_invalid()
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise credentials_invalid() from None
    kid = header.get("kid")
    if set(header) != _HEADERS or header["typ"] != _TYPE or header["alg"] != ALGORITHM or not isinstance(kid, str):
        raise credentials_invalid()
    key = await keys.to_verify(db, kid, now=now)
    if key is None:
        raise credentials_invalid()
    try:
        claims = jwt.decode(
            token,
            key,
            [ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY,
            options={"require": _CLAIMS, "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise token_expired() from None
    except jwt.PyJWTError:
        raise credentials_invalid() from None
    user_id, session_id = claims["sub"], claims["sid"]
    if not isinstance(user_id, str) or not isinstance(session_id, str):
        raise credentials_invalid()
    return Claims(user_id, session_id)
