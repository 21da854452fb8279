"""Whom a name and a password sign in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from api.auth.brake import begin_attempt, forget_old
from api.auth.passwords import Passwords

if TYPE_CHECKING:
    from prisma import Prisma

LONGEST_NAME = 64  # characters


async def verify_password(
    db: Prisma,
    passwords: Passwords,
    name: str,
    password: str,
    *,
    address: str,
    browser: str | None = None,
    new_browser: str | None = None,
    now: datetime,
) -> tuple[str, str] | None:
    """Id and password hash of the user whom name and password fit; None, as slowly, whatever is wrong.

    Args:
        browser: The cookie of a browser, if it sent one.
        new_browser: The cookie that it will have from now on.

    Raises:
        Problem: 429 `sign_in_braked` or `sign_in_busy`.
    """
    attempt = await begin_attempt(db, name, address, browser=browser, now=now)
    user = await db.user.find_unique(where={"name": name.casefold()})
    known = user.password_hash if user is not None and user.disabled_at is None else None
    right = await passwords.verify(password, known)
    if user is None or known is None or not right:
        return None
    await attempt.succeeded(browser=new_browser)
    await forget_old(db, now=now)
    return user.id, known
