"""The whole way through a provider that is a process of its own, and every way it can go wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.auth.settings import AuthSettings, Provider
from tests.support.oidc_provider import OidcProvider, run_oidc_provider
from tests.support.signing_in import Desk, bearer, code_of, open_desk

if TYPE_CHECKING:
    from prisma import Prisma

pytestmark = pytest.mark.service

LOGIN, CALLBACK = "/v1/auth/oauth/acme/login", "/v1/auth/oauth/acme/callback"


@pytest.fixture(scope="module")
def provider() -> Generator[OidcProvider]:
    with run_oidc_provider() as provider:
        yield provider


@pytest.fixture
async def desk(database: Prisma, provider: OidcProvider) -> AsyncGenerator[Desk]:
    """A server with two providers: one for who is invited, one for everybody."""
    acme = Provider(issuer=provider.issuer, client_id="desk", client_secret="s3cret")  # pyright: ignore[reportArgumentType]
    everybody = acme.model_copy(update={"create_users": True, "roles": ["clerk"], "client_id": "open"})
    async with open_desk(database, auth=AuthSettings(oidc_providers={"acme": acme, "open": everybody})) as desk:
        yield desk


async def go(desk: Desk, provider: OidcProvider, subject: str, path: str = LOGIN, **query: str) -> str:
    """Set out, sign in over there, and the path to come back to."""
    away = await desk.http.get(path, params=query)
    assert away.status_code == 303, away.text
    back = urlsplit(provider.sign_in(away.headers["location"], subject))
    return f"{back.path}?{back.query}"


async def invite(desk: Desk, provider: OidcProvider, name: str, subject: str) -> None:
    user_id = await desk.add(name, "clerk", password=False)
    await desk.db.oauthidentity.create(data={"issuer": provider.issuer, "subject": subject, "user_id": user_id})


async def take_over(desk: Desk, code: str) -> httpx.Response:
    return await desk.http.post("/v1/auth/token", data={"grant_type": "authorization_code", "code": code})


async def test_who_is_linked_goes_there_and_back_and_is_signed_in(desk: Desk, provider: OidcProvider):
    await invite(desk, provider, "ann", "ann@acme.example")
    answer = await desk.http.get(await go(desk, provider, "ann@acme.example"))
    assert answer.status_code == 200, answer.text
    tokens = await take_over(desk, answer.json()["code"])
    assert tokens.status_code == 200, tokens.text
    me = (await desk.me(bearer(tokens.json()["access_token"]))).json()
    assert (me["name"], me["roles"]) == ("ann", ["clerk"])
    assert await desk.db.oauthpending.count() == 0


async def test_pkce_state_and_nonce_go_along_and_no_secret_does(desk: Desk, provider: OidcProvider):
    location = (await desk.http.get(LOGIN)).headers["location"]
    query = parse_qs(urlsplit(location).query)
    assert (query["code_challenge_method"], query["response_type"]) == (["S256"], ["code"])
    assert {"state", "nonce", "code_challenge"} <= query.keys()
    assert "s3cret" not in location


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: Desk):
    cookie = (await desk.http.get(LOGIN)).headers["set-cookie"]
    assert cookie.startswith("deskclerk_oauth_")
    assert {"HttpOnly", "SameSite=lax", "Path=/v1/auth"} <= set(cookie.split("; "))


async def test_over_https_the_cookie_stays_there_and_the_callback_is_the_public_address(
    database: Prisma, provider: OidcProvider
):
    from api.settings import ApiSettings

    acme = Provider(issuer=provider.issuer, client_id="desk")
    settings, auth = ApiSettings(public_url="https://desk.example"), AuthSettings(oidc_providers={"acme": acme})
    async with open_desk(database, settings, auth) as desk:
        away = await desk.http.get(LOGIN, headers={"Host": "evil.example"})
    assert "Secure" in away.headers["set-cookie"].split("; ")
    callback = parse_qs(urlsplit(away.headers["location"]).query)["redirect_uri"]
    assert callback == ["https://desk.example/v1/auth/oauth/acme/callback"]


async def test_with_a_path_to_end_at_the_code_stands_where_no_server_reads_it(desk: Desk, provider: OidcProvider):
    await invite(desk, provider, "ann", "ann")
    answer = await desk.http.get(await go(desk, provider, "ann", redirect="/chat?thread=1"))
    target, _, code = answer.headers["location"].partition("#code=")
    assert (answer.status_code, target) == (303, "/chat?thread=1")
    assert (await take_over(desk, code)).status_code == 200
    assert code_of(await take_over(desk, code)) == (400, "invalid_grant")


async def test_a_code_is_worth_nothing_in_another_browser(desk: Desk, provider: OidcProvider):
    await invite(desk, provider, "ann", "ann")
    code = (await desk.http.get(await go(desk, provider, "ann"))).json()["code"]
    desk.http.cookies.clear()
    assert code_of(await take_over(desk, code)) == (400, "invalid_grant")


async def test_who_is_not_invited_is_told_how_to_be(desk: Desk, provider: OidcProvider):
    await desk.add("eve", "admin", password=False)
    answer = await desk.http.get(await go(desk, provider, "eve"))
    assert code_of(answer) == (403, "not_invited")
    assert "deskclerk users link NAME acme 'eve'" in answer.json()["detail"]
    assert await desk.db.oauthidentity.count() == 0


async def test_the_e_mail_of_a_user_does_not_make_one_that_user(desk: Desk, provider: OidcProvider):
    await desk.db.user.create(data={"tenant_id": "default", "name": "boss", "email": "boss@acme.example"})
    answer = await desk.http.get(await go(desk, provider, "boss@acme.example"))
    assert code_of(answer) == (403, "not_invited")


async def test_where_everybody_may_come_a_user_is_made_once_with_the_role_that_is_set(
    desk: Desk, provider: OidcProvider
):
    for _ in range(2):
        answer = await desk.http.get(await go(desk, provider, "new", "/v1/auth/oauth/open/login"))
        tokens = (await take_over(desk, answer.json()["code"])).json()
        me = (await desk.me(bearer(tokens["access_token"]))).json()
        assert me["roles"] == ["clerk"]
    assert await desk.db.user.count() == 1


async def test_a_disabled_user_does_not_come_in_by_the_provider(desk: Desk, provider: OidcProvider):
    from api.auth.users import disable_user

    await invite(desk, provider, "ann", "ann")
    await disable_user(desk.db, "ann")
    assert code_of(await desk.http.get(await go(desk, provider, "ann"))) == (403, "user_disabled")


async def test_who_says_no_over_there_is_not_signed_in(desk: Desk, provider: OidcProvider):
    location = (await desk.http.get(LOGIN)).headers["location"]
    state = parse_qs(urlsplit(location).query)["state"][0]
    answer = await desk.http.get(CALLBACK, params={"error": "access_denied", "state": state})
    assert code_of(answer) == (400, "oauth_refused")


async def forged(desk: Desk, provider: OidcProvider, how: str) -> httpx.Response:
    """A callback that is not what it should be."""
    path = await go(desk, provider, "ann")
    parts = urlsplit(path)
    query: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
    target = CALLBACK
    if how == "no_state":
        del query["state"]
    elif how == "made_up_state":
        query["state"] = "x" * 43
    elif how == "another_browser":
        desk.http.cookies.clear()
    elif how == "planted_cookie":
        name = next(name for name in desk.http.cookies if name.startswith("deskclerk_oauth"))
        desk.http.cookies.clear()
        desk.http.cookies.set(name, "of-the-attacker", path="/v1/auth")
    elif how == "another_provider":
        target = CALLBACK.replace("acme", "open")
    elif how == "mixed_up_issuer":
        query["iss"] = "https://evil.example"
    elif how == "twice_state":
        return await desk.http.get(f"{path}&state=x")
    elif how == "no_code":
        del query["code"]
    elif how == "made_up_code":
        query["code"] = "made-up"
    elif how == "code_and_error":
        query["error"] = "access_denied"
    elif how == "replayed":
        assert (await desk.http.get(path)).status_code == 200
    elif how == "too_late":
        from datetime import UTC, datetime

        await desk.db.oauthpending.update_many(where={}, data={"expires_at": datetime(2020, 1, 1, tzinfo=UTC)})
    elif how == "another_nonce":
        await desk.db.oauthpending.update_many(where={}, data={"nonce": "another"})
    return await desk.http.get(target, params=query)


@pytest.mark.parametrize(
    ("how", "refused"),
    [
        ("no_state", (400, "oauth_state_invalid")),
        ("made_up_state", (400, "oauth_state_invalid")),
        ("another_browser", (400, "oauth_state_invalid")),
        ("planted_cookie", (400, "oauth_state_invalid")),
        ("another_provider", (400, "oauth_state_invalid")),
        ("mixed_up_issuer", (400, "oauth_state_invalid")),
        ("twice_state", (400, "oauth_state_invalid")),
        ("replayed", (400, "oauth_state_invalid")),
        ("too_late", (400, "oauth_state_invalid")),
        ("no_code", (400, "oauth_refused")),
        ("made_up_code", (400, "oauth_refused")),
        ("code_and_error", (400, "oauth_refused")),
        ("another_nonce", (401, "identity_not_believed")),
    ],
)
async def test_a_forged_callback_signs_nobody_in(
    desk: Desk, provider: OidcProvider, how: str, refused: tuple[int, str]
):
    await invite(desk, provider, "ann", "ann")
    answer = await forged(desk, provider, how)
    assert code_of(answer) == refused
    assert await desk.db.authticket.count() == (1 if how == "replayed" else 0)
    assert await desk.db.authsession.count() == 0
