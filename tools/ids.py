"""Identifiers of the rows that tools make: short, so that a small model copies them without a slip."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Literal

Prefix = Literal["cus", "doc", "inv", "pay", "po", "prd"]

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 letters and digits; without l, o, 0 and 1, which look alike
_RANDOM_LENGTH = 8  # 40 bits: a collision is unlikely, and looked for
_DERIVED_LENGTH = 12  # 60 bits: two keys must not meet
_ATTEMPTS = 5


def new_id(prefix: Prefix) -> str:
    """A random identifier like `doc_k3f9xw2m`."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))


def derived_id(prefix: Prefix, key: str) -> str:
    """The identifier of what the call with idempotency `key` makes: the same for every attempt at it."""
    digest = hashlib.sha256(f"{prefix}:{key}".encode()).digest()
    return f"{prefix}_" + "".join(_ALPHABET[byte % 32] for byte in digest[:_DERIVED_LENGTH])


async def unused_id(prefix: Prefix, taken: Callable[[str], Awaitable[bool]]) -> str:
    """A random identifier that nothing has. Asked first: a unique violation would end a PostgreSQL transaction.

    Raises:
        RuntimeError: Every one tried is taken, so `taken` is wrong.
    """
    for _ in range(_ATTEMPTS):
        if not await taken(identifier := new_id(prefix)):
            return identifier
    raise RuntimeError(f"{_ATTEMPTS} random {prefix!r} identifiers in a row are taken")
