"""Secrets that we make ourselves: random enough that a plain SHA-256 of them is all the database needs."""

from __future__ import annotations

import hashlib
import secrets

ENTROPY = 32  # bytes; what is guessed of it by trying is nothing, so no slow hash is needed

REFRESH = "dcr_"
API_KEY = "dck_"
TICKET = "dct_"


def new_secret(prefix: str = "") -> str:
    """A new one; its prefix says what it is, also to whoever scans for leaked secrets."""
    return prefix + secrets.token_urlsafe(ENTROPY)


def digest(secret: str) -> str:
    """What the database keeps. Looking a row up by it takes the same time for any guess that is no other's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
