"""Passwords: argon2id, off the event loop, few at a time."""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.auth.refusals import try_later

SHORTEST = 12  # characters
LONGEST = 256  # characters
AT_ONCE = 2  # each takes 19 MiB and a core for some 20 ms
MOST_WAITING = 64  # beyond, whoever signs in is told to come again: streams must not starve


class BadPassword(ValueError):
    """This cannot be a password. The message says why."""


@cache
def _hasher() -> PasswordHash:
    # Source: OWASP Password Storage Cheat Sheet, argon2id m=19456 t=2 p=1
    return PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)])


@cache
def _nobodys_hash() -> str:
    """What is verified where there is no user or no password, so that it takes as long."""
    return _hasher().hash("of nobody")


def normalize(password: str) -> str:
    """One form of what keyboards write in several. Source: NIST SP 800-63B, 5.1.1.2."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str, *, user_name: str) -> str:
    """The hash of a new password.

    Raises:
        BadPassword: It is too short or too long, or too easily guessed from the name.
    """
    password = normalize(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadPassword(f"A password has {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < 5 or not password.casefold().replace(user_name.casefold(), "").strip("0123456789 "):
        raise BadPassword("This password is too easily guessed.")
    return _hasher().hash(password)


class Passwords:
    """Verifies passwords for a server."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        _nobodys_hash()  # now: the first stranger must not take longer than the first user

    async def verify(self, password: str, known: str | None) -> bool:
        """Whether `password` belongs to the hash `known`; as slowly False where there is none.

        Raises:
            Problem: 429 `sign_in_busy`, when too many are being verified.
        """
        if self._waiting >= MOST_WAITING:
            raise try_later("sign_in_busy", "Too many sign-ins at once; try again in a moment.", seconds=1)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, _verify, password, known)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)


def _verify(password: str, known: str | None) -> bool:
    right = _hasher().verify(normalize(password[: LONGEST + 1]), known or _nobodys_hash())
    return right and known is not None and len(password) <= LONGEST
