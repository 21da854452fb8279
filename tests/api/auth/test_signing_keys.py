"""Keys that sign: in the database, rotated while servers run, sealed where a secret is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import jwt
import pytest
from pydantic import SecretStr

from api.auth import signing_keys
from api.auth.sealing import seal, unseal
from api.auth.settings import AuthSettings
from tests.support.signing_in import Desk, bearer, code_of, open_desk

if TYPE_CHECKING:
    from prisma import Prisma

SECRET = SecretStr("a secret of more than 32 characters")


@pytest.fixture(autouse=True)
def keys_are_read_each_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signing_keys, "REREAD", timedelta(0))
    monkeypatch.setattr(signing_keys, "REREAD_FOR_UNKNOWN", timedelta(0))


def kid(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


async def test_after_a_rotation_the_new_key_signs_and_the_old_one_verifies_for_a_while(desk: Desk):
    await desk.add("ann")
    old = (await desk.sign_in("ann"))["access_token"]
    await signing_keys.rotate(desk.db, None, verify_for=timedelta(minutes=1), now=datetime.now(UTC))
    new = (await desk.sign_in("ann"))["access_token"]
    assert kid(old) != kid(new)
    assert [(await desk.me(bearer(token))).status_code for token in (old, new)] == [200, 200]
    published = (await desk.http.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kid"] for key in published} == {kid(old), kid(new)}


async def test_when_its_time_is_over_what_it_signed_is_refused(desk: Desk):
    await desk.add("ann")
    old = (await desk.sign_in("ann"))["access_token"]
    await signing_keys.rotate(desk.db, None, verify_for=timedelta(0), now=datetime.now(UTC))
    assert code_of(await desk.me(bearer(old))) == (401, "credentials_invalid")
    published = (await desk.http.get("/.well-known/jwks.json")).json()["keys"]
    assert kid(old) not in {key["kid"] for key in published}


async def test_a_stolen_key_is_cut_off_also_when_it_was_retired_before(desk: Desk):
    await desk.add("ann")
    old = (await desk.sign_in("ann"))["access_token"]
    now = datetime.now(UTC)
    await signing_keys.rotate(desk.db, None, verify_for=timedelta(hours=1), now=now)
    await signing_keys.rotate(desk.db, None, verify_for=timedelta(0), now=now)
    assert code_of(await desk.me(bearer(old))) == (401, "credentials_invalid")


async def test_with_a_secret_the_database_holds_no_key_in_the_clear(database: Prisma):
    async with open_desk(database, auth=AuthSettings(secret_key=SECRET)) as desk:
        await desk.add("ann")
        headers = await desk.bearer("ann")
        assert (await desk.me(headers)).status_code == 200
    row = await database.signingkey.find_first_or_raise()
    assert "PRIVATE KEY" not in row.private_key
    assert row.private_key.startswith("sealed:v1:")


async def test_with_another_secret_a_new_key_signs_and_the_old_one_verifies(
    database: Prisma, caplog: pytest.LogCaptureFixture
):
    async with open_desk(database, auth=AuthSettings(secret_key=SECRET)) as desk:
        await desk.add("ann")
        old = (await desk.sign_in("ann"))["access_token"]
    async with open_desk(database, auth=AuthSettings()) as desk:
        new = (await desk.sign_in("ann"))["access_token"]
        assert [(await desk.me(bearer(token))).status_code for token in (old, new)] == [200, 200]
    assert kid(old) != kid(new)
    assert "another DESKCLERK_SECRET_KEY" in caplog.text


def test_what_is_sealed_for_one_name_is_not_unsealed_for_another():
    sealed = seal("key", SECRET, name="one")
    assert unseal(sealed, SECRET, name="one") == "key"
    assert unseal(sealed, SECRET, name="two") is None
    assert unseal(sealed, SecretStr("another" * 6), name="one") is None
    assert unseal(sealed, None, name="one") is None


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        AuthSettings(secret_key=SecretStr("short"))
