"""Basic sign-in (RFC 7617): name and password with every request, argon2 with few of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING

from agent.principal import Principal
from api.auth.by_password import verify_password
from api.auth.passwords import Passwords
from api.auth.refusals import credentials_invalid
from api.auth.standing import Fresh, by_user

if TYPE_CHECKING:
    from prisma import Prisma

KNOWN_FOR = 300.0  # seconds
MOST_KNOWN = 1000
LONGEST = 1024  # characters of the header's value


class BasicSignIn:
    """Verifies name and password, and remembers for a while which were right: by a keyed hash, never in the clear."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, tuple[float, str, str]] = OrderedDict()  # since, user id, the hash it fitted
        self._users: Fresh[tuple[Principal, str | None] | None] = Fresh()

    async def principal(self, db: Prisma, encoded: str, *, address: str, now: datetime) -> Principal:
        """Whoever these credentials sign in.

        Raises:
            Problem: 401 `credentials_invalid`, 429 `sign_in_braked` or `sign_in_busy`.
        """
        name, password = _decode(encoded)
        seen = hmac.digest(self._key, f"{name}\0{password}".encode(), hashlib.sha256)
        if (found := await self._remembered(db, seen)) is not None:
            return found
        verified = await verify_password(db, self._passwords, name, password, address=address, now=now)
        if verified is None:
            raise credentials_invalid()
        self._right[seen] = (time.monotonic(), *verified)
        if len(self._right) > MOST_KNOWN:
            self._right.popitem(last=False)
        if (found := await self._remembered(db, seen)) is None:
            raise credentials_invalid()
        return found

    async def _remembered(self, db: Prisma, seen: bytes) -> Principal | None:
        since, user_id, fitted = self._right.get(seen, (0.0, "", ""))
        if not user_id:
            return None
        user = await self._users.get(user_id, lambda: by_user(db, user_id))
        known = user is not None and user[1] is not None and hmac.compare_digest(user[1], fitted)
        if user is None or not known or time.monotonic() - since > KNOWN_FOR:
            self._right.pop(seen, None)  # disabled, another password by now, or long ago
            return None
        return user[0]


def _decode(encoded: str) -> tuple[str, str]:
    if len(encoded) > LONGEST:
        raise credentials_invalid()
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise credentials_invalid() from None
    name, colon, password = decoded.partition(":")
    if not colon or "\0" in decoded:
        raise credentials_invalid()
    return name, password
