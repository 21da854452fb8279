"""Slowing down whoever guesses passwords, in a way that nobody can use to lock somebody else out.

Failures are counted by name and place together: from its sixth failure on, a place waits ever longer before it may try
that name again. Whoever guesses from elsewhere does not touch the owner's count. A browser that has signed in as this
name before is a place of its own, by a cookie, even where it shares its address with whoever guesses. An address as a
whole is slowed too, but not for names that have signed in from it.

Names that are no user's are counted just the same. An attempt is counted before its password is looked at, so that many
at once gain nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from api.auth.refusals import try_later
from api.auth.secret_tokens import digest
from prisma.errors import UniqueViolationError

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import SignInBrake

FREE_FOR_A_NAME = 5  # failures at one place
FREE_FOR_AN_ADDRESS = 50  # failures, all names together
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=12)  # without a failure
FAMILIAR_FOR = timedelta(days=60)  # since its last success; then its row goes
_ANY_NAME = "*"
_TRIES = 20  # when attempts of one name and place come at the same moment


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt: a failure until `succeeded` is called."""

    db: Prisma
    name: str
    place: str
    address: str | None  # where it was counted as well; None for a familiar place
    at: datetime

    async def succeeded(self, *, browser: str | None = None) -> None:
        """Forget this place's failures; it and `browser` are familiar from now on."""
        places = {self.place, *([digest(browser)] if browser else [])}
        for place in places:
            await self.db.signinbrake.upsert(
                where={"name_place": {"name": self.name, "place": place}},
                data={
                    "create": {"name": self.name, "place": place, "failed_at": self.at, "succeeded_at": self.at},
                    "update": {"failures": 0, "failed_at": self.at, "succeeded_at": self.at},
                },
            )
        if self.address is None:
            return
        await self.db.signinbrake.update_many(
            where={"name": _ANY_NAME, "place": self.address, "failures": {"gt": 0}},
            data={"failures": {"decrement": 1}},
        )


async def begin_attempt(db: Prisma, name: str, address: str, *, browser: str | None, now: datetime) -> Attempt:
    """Count an attempt to sign in as `name`.

    Args:
        browser: The cookie of a browser, if it sent one.

    Raises:
        Problem: 429 `sign_in_braked` with `Retry-After`: too many failures here.
    """
    hashed, place = digest(name.casefold()), digest(address)
    if browser is not None:
        own = await _row(db, hashed, digest(browser))
        if own is not None and own.succeeded_at is not None:
            place = own.place
    row = await _row(db, hashed, place)
    if row is not None:
        _refuse_if_waiting(row, FREE_FOR_A_NAME, now)  # before the address is counted: the impatient do not add to it
    familiar = row is not None and row.succeeded_at is not None
    if not familiar:
        await _count(db, _ANY_NAME, digest(address), FREE_FOR_AN_ADDRESS, now)
    await _count(db, hashed, place, FREE_FOR_A_NAME, now)
    return Attempt(db, hashed, place, None if familiar else digest(address), now)


async def forget_old(db: Prisma, *, now: datetime) -> None:
    """Drop what no longer slows anybody down."""
    await db.signinbrake.delete_many(where={"failed_at": {"lt": now - FAMILIAR_FOR}})
    await db.signinbrake.delete_many(where={"failed_at": {"lt": now - FORGOTTEN_AFTER}, "succeeded_at": None})


def wait_after(failures: int, *, free: int) -> timedelta:
    """How long a place waits after so many failures."""
    if failures < free:
        return timedelta()
    return min(timedelta(seconds=2.0 ** min(failures - free, 20)), LONGEST_WAIT)


async def _row(db: Prisma, name: str, place: str) -> SignInBrake | None:
    return await db.signinbrake.find_unique(where={"name_place": {"name": name, "place": place}})


async def _count(db: Prisma, name: str, place: str, free: int, now: datetime) -> None:
    for _ in range(_TRIES):
        row = await _row(db, name, place)
        if row is None:
            try:
                await db.signinbrake.create(data={"name": name, "place": place, "failures": 1, "failed_at": now})
            except UniqueViolationError:
                continue
            return
        failures = _refuse_if_waiting(row, free, now)
        counted = await db.signinbrake.update_many(
            where={"name": name, "place": place, "failures": row.failures, "failed_at": row.failed_at},
            data={"failures": failures + 1, "failed_at": now},
        )
        if counted:
            return
    raise _braked(timedelta(seconds=1))


def _refuse_if_waiting(row: SignInBrake, free: int, now: datetime) -> int:
    """The failures that still count."""
    failures = 0 if row.failed_at < now - FORGOTTEN_AFTER else row.failures
    left = row.failed_at + wait_after(failures, free=free) - now
    if left > timedelta():
        raise _braked(left)
    return failures


def _braked(left: timedelta) -> Exception:
    detail = "Too many failed sign-ins from here; wait before you try again."
    return try_later("sign_in_braked", detail, seconds=left.total_seconds())
