"""Access tokens, refresh tokens and the sign-ins that they belong to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import jwt
import pytest

from api.auth import sessions
from api.auth.users import disable_user, set_password, set_roles
from tests.support.signing_in import PASSWORD, Desk, bearer, code_of, open_desk

if TYPE_CHECKING:
    from prisma import Prisma


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch):
    """The second for which a sign-in is believed is another test's."""
    monkeypatch.setattr("api.auth.standing.FRESH_FOR", 0.0)


async def test_a_password_gets_tokens_and_the_token_says_who_one_is(desk: Desk):
    user_id = await desk.add("ann", "clerk")
    answer = await desk.token("ANN")
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert answer.headers["cache-control"] == "no-store"
    me = (await desk.me(bearer(tokens["access_token"]))).json()
    assert me == {
        "tenant_id": "default",
        "user_id": user_id,
        "name": "ann",
        "roles": ["clerk"],
        "scopes": None,
        "key_id": None,
    }


async def test_others_can_verify_a_token_by_the_published_keys(desk: Desk):
    await desk.add("ann")
    token = (await desk.sign_in("ann"))["access_token"]
    published = (await desk.http.get("/.well-known/jwks.json")).json()
    assert "d" not in published["keys"][0]
    key = next(
        key for key in jwt.PyJWKSet.from_dict(published).keys if key.key_id == jwt.get_unverified_header(token)["kid"]
    )
    claims = jwt.decode(token, key, ["EdDSA"], audience="deskclerk", issuer="deskclerk")
    assert {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"} == claims.keys()


async def test_a_refresh_token_is_good_once_and_its_answer_holds_the_next(desk: Desk):
    await desk.add("ann")
    first = await desk.sign_in("ann")
    second = (await desk.refresh(first["refresh_token"])).json()
    third = await desk.refresh(second["refresh_token"])
    assert third.status_code == 200
    assert len({first["refresh_token"], second["refresh_token"], third.json()["refresh_token"]}) == 3


async def test_a_refresh_token_that_comes_again_after_its_successor_was_used_ends_the_sign_in(desk: Desk):
    await desk.add("ann")
    first = await desk.sign_in("ann")
    second = (await desk.refresh(first["refresh_token"])).json()
    third = (await desk.refresh(second["refresh_token"])).json()
    assert code_of(await desk.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert code_of(await desk.refresh(third["refresh_token"])) == (400, "invalid_grant")
    assert code_of(await desk.me(bearer(third["access_token"]))) == (401, "credentials_invalid")
    row = await desk.db.authsession.find_first()
    assert row is not None
    assert row.revoked_reason == "refresh_reused"


async def test_a_refresh_token_that_comes_again_after_the_grace_ends_the_sign_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    await desk.add("ann")
    first = await desk.sign_in("ann")
    second = (await desk.refresh(first["refresh_token"])).json()
    monkeypatch.setattr(sessions, "GRACE", timedelta(0))
    assert code_of(await desk.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert code_of(await desk.refresh(second["refresh_token"])) == (400, "invalid_grant")


async def test_an_answer_that_was_lost_is_given_again(desk: Desk):
    await desk.add("ann")
    first = await desk.sign_in("ann")
    await desk.refresh(first["refresh_token"])  # its answer never arrives
    again = await desk.refresh(first["refresh_token"])
    assert again.status_code == 200
    assert (await desk.refresh(again.json()["refresh_token"])).status_code == 200


async def test_two_that_refresh_at_once_are_both_served(desk: Desk):
    await desk.add("ann")
    token = (await desk.sign_in("ann"))["refresh_token"]
    answers = await asyncio.gather(*(desk.refresh(token) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_sign_in_ends_whatever_was_refreshed(desk: Desk):
    await desk.add("ann")
    tokens = await desk.sign_in("ann")
    past = datetime.now(UTC) - timedelta(seconds=1)
    await desk.db.authsession.update_many(where={}, data={"expires_at": past})
    assert code_of(await desk.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert code_of(await desk.me(bearer(tokens["access_token"]))) == (401, "credentials_invalid")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_signing_out_ends_both_tokens(desk: Desk, kind: str):
    await desk.add("ann")
    tokens, other = await desk.sign_in("ann"), await desk.sign_in("ann")
    assert (await desk.http.post("/v1/auth/revoke", data={"token": tokens[kind]})).status_code == 204
    assert code_of(await desk.me(bearer(tokens["access_token"]))) == (401, "credentials_invalid")
    assert code_of(await desk.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert (await desk.me(bearer(other["access_token"]))).status_code == 200


async def test_what_is_no_token_is_revoked_already(desk: Desk):
    assert (await desk.http.post("/v1/auth/revoke", data={"token": "nonsense"})).status_code == 204


async def test_one_sees_ones_sign_ins_and_ends_one_or_all(desk: Desk):
    await desk.add("ann")
    here, there, third = [await desk.bearer("ann") for _ in range(3)]
    listed = (await desk.http.get("/v1/auth/sessions", headers=here)).json()["data"]
    assert len(listed) == 3
    oldest = listed[-1]["id"]
    assert (await desk.http.delete(f"/v1/auth/sessions/{oldest}", headers=there)).status_code == 204
    assert code_of(await desk.me(here)) == (401, "credentials_invalid")
    assert (await desk.http.delete("/v1/auth/sessions", headers=there)).status_code == 204
    assert [code_of(await desk.me(one)) for one in (there, third)] == [(401, "credentials_invalid")] * 2


async def test_a_disabled_user_is_out_at_once_by_every_way(desk: Desk):
    await desk.add("ann")
    tokens, key = await desk.sign_in("ann"), (await desk.key("ann", "read"))["key"]
    assert (await desk.http.get("/v1/me", auth=("ann", PASSWORD))).status_code == 200
    await disable_user(desk.db, "ann")
    assert code_of(await desk.me(bearer(tokens["access_token"]))) == (401, "credentials_invalid")
    assert code_of(await desk.me(bearer(key))) == (401, "credentials_invalid")
    assert code_of(await desk.http.get("/v1/me", auth=("ann", PASSWORD))) == (401, "credentials_invalid")
    assert code_of(await desk.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert code_of(await desk.token("ann")) == (400, "invalid_grant")


async def test_another_password_ends_what_the_old_one_began(desk: Desk):
    from api.auth.passwords import hash_password

    await desk.add("ann")
    headers = await desk.bearer("ann")
    assert (await desk.http.get("/v1/me", auth=("ann", PASSWORD))).status_code == 200
    await set_password(desk.db, "ann", hash_password("another horse battery", user_name="ann"))
    assert code_of(await desk.me(headers)) == (401, "credentials_invalid")
    assert code_of(await desk.http.get("/v1/me", auth=("ann", PASSWORD))) == (401, "credentials_invalid")
    assert (await desk.token("ann", "another horse battery")).status_code == 200


async def test_a_role_that_is_taken_away_is_gone_from_a_token_that_was_given_before(desk: Desk):
    await desk.add("ann", "admin")
    headers = await desk.bearer("ann")
    await set_roles(desk.db, "ann", ["viewer"])
    assert (await desk.me(headers)).json()["roles"] == ["viewer"]


async def test_within_a_second_a_token_is_not_looked_up_twice(
    desk: Desk, database: Prisma, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.auth.standing.FRESH_FOR", 60.0)
    await desk.add("ann")
    headers = await desk.bearer("ann")
    await desk.me(headers)
    await database.authsession.update_many(where={}, data={"revoked_at": datetime.now(UTC)})
    assert (await desk.me(headers)).status_code == 200  # which is why it is one second and not more
    monkeypatch.setattr("api.auth.standing.FRESH_FOR", 0.0)
    assert code_of(await desk.me(headers)) == (401, "credentials_invalid")


async def test_a_sign_in_may_be_limited(desk: Desk):
    await desk.add("boss", "admin")
    headers = await desk.bearer("boss", scope="runs")
    me = (await desk.me(headers)).json()
    assert (me["roles"], me["scopes"]) == (["clerk"], ["read", "runs"])
    assert code_of(await desk.http.get("/v1/audit", headers=headers)) == (403, "scope_missing")


async def test_without_first_party_apps_nobody_sends_a_password(database: Prisma):
    from api.auth.settings import AuthSettings

    async with open_desk(database, auth=AuthSettings(first_party_apps=[])) as desk:
        await desk.add("ann")
        assert code_of(await desk.token("ann")) == (400, "unauthorized_client")


async def test_an_app_does_not_refresh_what_another_was_given(database: Prisma):
    from api.auth.settings import AuthSettings

    async with open_desk(database, auth=AuthSettings(first_party_apps=["desk", "phone"])) as desk:
        await desk.add("ann")
        tokens = await desk.sign_in("ann", client_id="phone")
        assert code_of(await desk.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
