"""cuid, version 2: a letter, then 23 base-36 digits of a SHA3-512 over time, counter, fingerprint and entropy.

Source: https://github.com/paralleldrive/cuid2
"""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import time

from prisma.engine.generators.base36 import base36

LENGTH = 24
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_fingerprint = secrets.token_bytes(32)
_counter = itertools.count(secrets.randbelow(476_782_367))


def _after_fork() -> None:
    global _fingerprint  # noqa: PLW0603 - a forked process must not repeat its parent's identifiers
    _fingerprint = secrets.token_bytes(32)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def cuid2() -> str:
    """A new identifier of 24 characters. Cannot be guessed from others and does not tell when it was made."""
    entropy = os.urandom(16)
    seed = b"%d%d%b%b" % (time.time_ns(), next(_counter), entropy, _fingerprint)
    digest = hashlib.sha3_512(seed).digest()
    return LETTERS[digest[0] % 26] + base36(int.from_bytes(digest[1:17], "big"), LENGTH - 1)
