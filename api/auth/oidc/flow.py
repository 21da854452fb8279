"""The way there and back: state, nonce and PKCE, bound to the browser that set out."""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from api.auth.oidc.discovery import TIMEOUT, Configuration, Discovery, unavailable
from api.auth.oidc.id_token import Identity, verify_id_token
from api.auth.refusals import try_later
from api.auth.secret_tokens import digest
from api.auth.settings import Provider
from api.problems import Problem

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import OAuthPending

log = logging.getLogger(__name__)

LIFE = timedelta(minutes=10)  # for a person to sign in over there
MOST_PENDING = 10_000
LONGEST = 2048  # characters of what comes back in one parameter


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and the cookie that it must bring back."""

    url: str
    state: str
    browser: str


@dataclass(frozen=True, slots=True)
class Returned:
    identity: Identity
    redirect: str | None


def state_invalid() -> Problem:
    return Problem(
        400, "oauth_state_invalid", "This sign-in was not begun in this browser, or too long ago; begin again."
    )


async def begin(
    db: Prisma,
    name: str,
    provider: Provider,
    discovery: Discovery,
    *,
    callback: str,
    redirect: str | None,
    now: datetime,
) -> Begun:
    """Set out.

    Raises:
        Problem: 502 `provider_unavailable`, 429 `sign_in_busy`.
    """
    await db.oauthpending.delete_many(where={"expires_at": {"lt": now}})
    if await db.oauthpending.count() >= MOST_PENDING:
        raise try_later("sign_in_busy", "Too many sign-ins at once; try again in a moment.", seconds=60)
    configuration = await discovery.configuration()
    state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
    await db.oauthpending.create(
        data={
            "state_hash": digest(state),
            "provider": name,
            "browser_hash": digest(browser),
            "nonce": nonce,
            "code_verifier": verifier,
            "redirect": redirect,
            "expires_at": now + LIFE,
        }
    )
    async with _client(provider, configuration, callback) as client:
        url, _ = client.create_authorization_url(
            configuration.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
        )
    return Begun(str(url), state, browser)


async def finish(
    db: Prisma,
    name: str,
    provider: Provider,
    discovery: Discovery,
    *,
    callback: str,
    returned: dict[str, str],
    browser: str | None,
    now: datetime,
) -> Returned:
    """Come back, once.

    Args:
        returned: The parameters of the callback.
        browser: The cookie that this browser was given when it set out.

    Raises:
        Problem: 400 `oauth_state_invalid` or `oauth_refused`, 401 `identity_not_believed`, 502 `provider_unavailable`.
    """
    pending = await _take(db, name, returned.get("state", ""), browser, now)
    configuration = await discovery.configuration()
    issuer = returned.get("iss")
    if issuer not in {None, configuration.issuer} or (
        issuer is None and configuration.authorization_response_iss_parameter_supported
    ):  # RFC 9207: the answer of another provider, mixed in
        raise state_invalid()
    code = returned.get("code", "")
    if not code or "error" in returned:
        raise Problem(400, "oauth_refused", "The provider did not sign you in.")
    async with _client(provider, configuration, callback) as client:
        try:
            token = await client.fetch_token(
                configuration.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=pending.code_verifier,
            )
        except AuthlibBaseError as error:
            log.warning("provider %s gave no token: %s", name, error.error)
            raise Problem(400, "oauth_refused", "The provider did not sign you in.") from None
        except (httpx2.HTTPError, ValueError) as error:
            log.warning("provider %s gave no token: %s", name, type(error).__name__)
            raise unavailable(name) from None
    identity = await verify_id_token(discovery, provider, cast("dict[str, Any]", token), nonce=pending.nonce)
    return Returned(identity, pending.redirect)


async def _take(db: Prisma, name: str, state: str, browser: str | None, now: datetime) -> OAuthPending:
    if not state or browser is None or len(state) > LONGEST:
        raise state_invalid()
    row = await db.oauthpending.find_unique(where={"state_hash": digest(state)})
    if row is None or not hmac.compare_digest(row.browser_hash, digest(browser)):
        raise state_invalid()  # and it is left for the browser that it belongs to
    taken = await db.oauthpending.delete_many(where={"state_hash": row.state_hash})
    if not taken or row.provider != name or row.expires_at <= now:
        raise state_invalid()
    return row


def _client(provider: Provider, configuration: Configuration, callback: str) -> Any:
    secret = provider.client_secret.get_secret_value() if provider.client_secret is not None else None
    methods = configuration.token_endpoint_auth_methods_supported
    method = "none" if secret is None else next((one for one in _METHODS if one in methods), _METHODS[0])
    return AsyncOAuth2Client(
        client_id=provider.client_id,
        client_secret=secret,
        token_endpoint_auth_method=method,
        scope=" ".join(provider.scopes),
        redirect_uri=callback,
        code_challenge_method="S256",
        timeout=TIMEOUT,
        follow_redirects=False,
    )


_METHODS = ["client_secret_basic", "client_secret_post"]
