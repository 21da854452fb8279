"""Who guesses is slowed, who is guessed at is not; and nothing is learnt by text, time or count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from api.auth import brake, passwords
from api.auth.brake import begin_attempt, wait_after
from api.problems import Problem
from api.settings import ApiSettings
from tests.support.signing_in import PASSWORD, Desk, code_of, open_desk

if TYPE_CHECKING:
    from prisma import Prisma

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def attempt(
    db: Prisma, name: str, address: str, *, right: bool = False, now: datetime = NOW, **options: Any
) -> str:
    """`in`, `wrong` or `braked`."""
    try:
        made = await begin_attempt(db, name, address, browser=options.get("browser"), now=now)
    except Problem as problem:
        return {"sign_in_braked": "braked"}[problem.code]
    if right:
        await made.succeeded(browser=options.get("new_browser"))
    return "in" if right else "wrong"


async def test_after_five_failures_a_place_waits_ever_longer(database: Prisma):
    assert [await attempt(database, "ann", "9.9.9.9") for _ in range(6)] == ["wrong"] * 5 + ["braked"]
    assert await attempt(database, "ann", "9.9.9.9", now=NOW + timedelta(seconds=2)) == "wrong"
    assert await attempt(database, "ann", "9.9.9.9", now=NOW + timedelta(seconds=3)) == "braked"
    waits = [wait_after(failures, free=5) for failures in (4, 5, 6, 10, 1000)]
    assert waits == [timedelta(seconds=seconds) for seconds in (0, 1, 2, 32, 900)]


async def test_who_guesses_elsewhere_does_not_lock_the_owner_out(database: Prisma):
    for _ in range(20):
        await attempt(database, "ann", "9.9.9.9")
    assert await attempt(database, "ann", "9.9.9.9", right=True) == "braked"
    assert await attempt(database, "ann", "1.1.1.1", right=True) == "in"


async def test_who_guesses_behind_the_same_address_does_not_lock_the_owners_browser_out(database: Prisma):
    assert await attempt(database, "ann", "9.9.9.9", right=True, new_browser="cookie") == "in"
    for _ in range(20):
        await attempt(database, "ann", "9.9.9.9")
    assert await attempt(database, "ann", "9.9.9.9", right=True) == "braked"
    assert await attempt(database, "ann", "9.9.9.9", right=True, browser="cookie") == "in"


async def test_a_made_up_cookie_is_no_place_of_its_own(database: Prisma):
    tries = [await attempt(database, "ann", "9.9.9.9", browser=f"made-up-{count}") for count in range(6)]
    assert tries[-1] == "braked"


async def test_an_address_that_tries_many_names_is_slowed_but_not_for_who_is_known_there(database: Prisma):
    assert await attempt(database, "ann", "9.9.9.9", right=True) == "in"
    tries = [await attempt(database, f"name-{count}", "9.9.9.9") for count in range(brake.FREE_FOR_AN_ADDRESS + 1)]
    assert (tries[-2], tries[-1]) == ("wrong", "braked")
    assert await attempt(database, "ann", "9.9.9.9", right=True) == "in"
    assert await attempt(database, "new", "8.8.8.8", right=True) == "in"


async def test_signing_in_between_guesses_does_not_make_an_address_good_again(database: Prisma):
    for count in range(brake.FREE_FOR_AN_ADDRESS):
        await attempt(database, f"name-{count}", "9.9.9.9")
        await attempt(database, "mallory", "9.9.9.9", right=True)
    assert await attempt(database, "one-more", "9.9.9.9") in {"wrong", "braked"}
    row = await database.signinbrake.find_first_or_raise(where={"name": "*"})
    assert row.failures >= brake.FREE_FOR_AN_ADDRESS - 1


async def test_many_at_once_gain_nothing(database: Prisma):
    tries = await asyncio.gather(*(attempt(database, "ann", "9.9.9.9") for _ in range(30)))
    assert tries.count("wrong") <= brake.FREE_FOR_A_NAME


async def test_failures_of_long_ago_are_forgotten(database: Prisma):
    for _ in range(6):
        await attempt(database, "ann", "9.9.9.9")
    assert await attempt(database, "ann", "9.9.9.9", now=NOW + timedelta(hours=13)) == "wrong"
    assert await attempt(database, "ann", "9.9.9.9", now=NOW + timedelta(hours=13)) == "wrong"


@pytest.fixture
def longer_waits(monkeypatch: pytest.MonkeyPatch):
    """So that a slow machine does not wait them out."""
    real = wait_after
    monkeypatch.setattr(brake, "wait_after", lambda failures, *, free: 60 * real(failures, free=free))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


@pytest.mark.usefixtures("longer_waits")
async def test_a_name_that_is_no_users_is_braked_alike(desk: Desk):
    await desk.add("ann")
    for name in ("ann", "nobody"):
        answers = [await desk.token(name, "wrong horse battery") for _ in range(6)]
        assert [code_of(answer) for answer in answers] == [(400, "invalid_grant")] * 5 + [(429, "sign_in_braked")]
        assert int(answers[-1].headers["retry-after"]) >= 1
    assert code_of(await desk.token("ann")) == (429, "sign_in_braked")


async def test_whatever_is_wrong_one_argon2_is_computed(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """So an answer takes as long for a name that is no user's."""
    await desk.add("ann")
    await desk.add("nopass", password=False)
    await desk.add("gone")
    from api.auth.users import disable_user

    await disable_user(desk.db, "gone")
    hashes: list[str] = []
    real: Callable[[str, str], bool] = passwords._hasher().verify  # pyright: ignore[reportPrivateUsage]

    def verify(password: str, hash: str) -> bool:
        hashes.append(hash.rpartition("$")[0].rpartition("$")[0])  # its cost, without salt and sum
        return real(password, hash)

    monkeypatch.setattr(passwords._hasher(), "verify", verify)  # pyright: ignore[reportPrivateUsage]
    answers = [await desk.token(name, "wrong horse battery") for name in ("ann", "nobody", "nopass", "gone")]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * 4
    assert len(hashes) == 4
    assert len(set(hashes)) == 1


async def test_basic_credentials_are_verified_once_and_not_with_every_request(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    await desk.add("ann")
    verified = 0
    original = passwords._verify  # pyright: ignore[reportPrivateUsage]

    def verify(password: str, known: str | None) -> bool:
        nonlocal verified
        verified += 1
        return original(password, known)

    monkeypatch.setattr(passwords, "_verify", verify)
    for _ in range(5):
        assert (await desk.http.get("/v1/me", auth=("ann", PASSWORD))).status_code == 200
    assert verified == 1


async def test_a_flood_of_sign_ins_is_told_to_come_again_and_others_are_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(passwords, "MOST_WAITING", 2)

    def slowly(password: str, known: str | None) -> bool:  # else each may be verified before the next one comes
        time.sleep(0.3)
        return False

    await desk.add("ann")
    headers = await desk.bearer("ann")
    monkeypatch.setattr(passwords, "_verify", slowly)
    answers, me = await asyncio.gather(
        asyncio.gather(*(desk.token(f"name-{count}", "wrong horse battery") for count in range(12))), desk.me(headers)
    )
    assert me.status_code == 200
    assert (429, "sign_in_busy") in {code_of(answer) for answer in answers}


@pytest.mark.usefixtures("longer_waits")
async def test_the_address_is_what_a_trusted_proxy_says_and_nobody_else(database: Prisma):
    async def last(settings: ApiSettings, forwarded: Callable[[int], str]) -> httpx.Response:
        await database.signinbrake.delete_many(where={})
        async with open_desk(database, settings) as desk:
            form = {"grant_type": "password", "username": "ann", "password": "wrong horse battery"}
            answers = [
                await desk.http.post("/v1/auth/token", data=form, headers={"X-Forwarded-For": forwarded(count)})
                for count in range(6)
            ]
            return answers[-1]

    anybody, proxied = ApiSettings(), ApiSettings(trusted_proxies=["127.0.0.1/32"])  # pyright: ignore[reportArgumentType]
    assert code_of(await last(anybody, lambda count: f"9.9.9.{count}")) == (429, "sign_in_braked")
    assert code_of(await last(proxied, lambda count: f"9.9.9.{count}")) == (400, "invalid_grant")
    assert code_of(await last(proxied, lambda count: f"9.9.9.{count}, 8.8.8.8")) == (429, "sign_in_braked")
