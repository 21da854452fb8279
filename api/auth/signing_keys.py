"""The keys that sign access tokens: in the database, so that every replica has them, each with a `kid` of its own."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import OKPAlgorithm
from pydantic import SecretStr

from api.auth.sealing import seal, unseal

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import SigningKey

log = logging.getLogger(__name__)

ALGORITHM = "EdDSA"
REREAD = timedelta(seconds=5)  # how old our idea of the keys may be; an unknown `kid` is looked for once a second
REREAD_FOR_UNKNOWN = timedelta(seconds=1)


class SigningKeys:
    """The keys, as one server knows them."""

    def __init__(self, secret: SecretStr | None) -> None:
        self._secret = secret
        self._read_at: datetime | None = None
        self._known: dict[str, tuple[Ed25519PublicKey, datetime | None]] = {}

    async def to_sign(self, db: Prisma, *, now: datetime) -> tuple[str, Ed25519PrivateKey]:
        """`kid` and key of the newest that is not retired and can be unsealed; made where there is none."""
        for row in await db.signingkey.find_many(where={"retired_at": None}, order={"created_at": "desc"}):
            pem = unseal(row.private_key, self._secret, name=row.kid)
            if pem is None:
                log.warning("signing key %s was sealed with another DESKCLERK_SECRET_KEY and is not used", row.kid)
                continue
            return row.kid, _private(pem)
        row = await make_key(db, self._secret, now=now)
        return row.kid, _private(unseal(row.private_key, self._secret, name=row.kid) or "")

    async def to_verify(self, db: Prisma, kid: str, *, now: datetime) -> Ed25519PublicKey | None:
        """The key of that name, if it still verifies."""
        age = None if self._read_at is None else now - self._read_at
        if age is None or age > (REREAD if kid in self._known else REREAD_FOR_UNKNOWN):
            rows = await db.signingkey.find_many(where=_verifying(now))
            self._known = {row.kid: (_public(row.public_key), row.verifies_until) for row in rows}
            self._read_at = now
        key, until = self._known.get(kid, (None, None))
        return None if until is not None and until <= now else key


async def make_key(db: Prisma, secret: SecretStr | None, *, now: datetime) -> SigningKey:
    """A new key, which signs from now on."""
    private = Ed25519PrivateKey.generate()
    kid = secrets.token_hex(8)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return await db.signingkey.create(
        data={
            "kid": kid,
            "algorithm": ALGORITHM,
            "public_key": public,
            "private_key": seal(pem, secret, name=kid),
            "created_at": now,
        }
    )


async def rotate(db: Prisma, secret: SecretStr | None, *, verify_for: timedelta, now: datetime) -> SigningKey:
    """Make a key and retire the others, which verify for `verify_for` longer. Nothing has to be started again."""
    new = await make_key(db, secret, now=now)
    until = now + verify_for
    await db.signingkey.update_many(
        where={"kid": {"not": new.kid}, "retired_at": None}, data={"retired_at": now, "verifies_until": until}
    )
    # Those that were retired before may have longer to go than they are now given.
    await db.signingkey.update_many(
        where={"retired_at": {"not": None}, "verifies_until": {"gt": until}}, data={"verifies_until": until}
    )
    await db.signingkey.delete_many(where={"verifies_until": {"lt": now - timedelta(days=1)}})
    return new


async def published(db: Prisma, *, now: datetime) -> list[dict[str, Any]]:
    """The public keys as JWKs (RFC 7517)."""
    rows = await db.signingkey.find_many(where=_verifying(now), order={"created_at": "desc"})
    keys: list[dict[str, Any]] = []
    for row in rows:
        jwk = OKPAlgorithm.to_jwk(_public(row.public_key), as_dict=True)
        keys.append({**jwk, "kid": row.kid, "alg": ALGORITHM, "use": "sig"})
    return keys


def _verifying(now: datetime) -> Any:
    return {"OR": [{"verifies_until": None}, {"verifies_until": {"gt": now}}]}


def _private(pem: str) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _public(pem: str) -> Ed25519PublicKey:
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, Ed25519PublicKey)
    return key
