"""Signing in and out: tokens, and tickets for sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Cookie, Form, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.principal import SCOPES, Scope
from api.auth import access_tokens, tickets
from api.auth.by_password import verify_password
from api.auth.cookies import BROWSER, leave_cookie
from api.auth.scopes import whole
from api.auth.secret_tokens import REFRESH, new_secret
from api.auth.sessions import Tokens, invalid_grant
from api.principal import TheAuthenticator, ThePrincipal
from api.problems import Problem, documented
from api.state import TheDb
from tools.context import utc_now

if TYPE_CHECKING:
    from api.auth.authenticator import Authenticator
    from prisma import Prisma

router = APIRouter(prefix="/v1/auth", tags=["sign-in"], responses=documented(401, 429, 503))

Text = Annotated[str, Field(max_length=1024)]
SignInCookie = Annotated[str | None, Cookie(alias=tickets.COOKIE, max_length=128, include_in_schema=False)]
BrowserCookie = Annotated[str | None, Cookie(alias=BROWSER, max_length=128, include_in_schema=False)]


class TokenForm(BaseModel):
    """RFC 6749. `authorization_code` takes the code that a sign-in at a provider ended with."""

    model_config = ConfigDict(extra="forbid")

    grant_type: Literal["password", "refresh_token", "authorization_code"]
    username: Text = ""
    password: Text = ""
    refresh_token: Text = ""
    code: Text = ""
    scope: Annotated[Text, Field(description="Limits the sign-in: `read`, `runs`, `approve`, `admin`.")] = ""
    client_id: Annotated[Text, Field(description="A first-party app; the first that is configured if not sent.")] = ""
    client_secret: Annotated[Literal[""], Field(description="Apps that people hold in their hands keep none.")] = ""


class TokenAnswer(BaseModel):
    """RFC 6749."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - its kind
    expires_in: Annotated[int, Field(description="Seconds.")]
    refresh_token: Annotated[str, Field(description="Good once; the answer to it holds the next.")]


class RevokeForm(BaseModel):
    """RFC 7009."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=4096)]
    token_type_hint: Annotated[Text, Field(description="Not needed.")] = ""


class Ticket(BaseModel):
    """Good once, in place of a token, to open one WebSocket."""

    ticket: str
    expires_in: Annotated[int, Field(description="Seconds.")]


@router.post("/token", responses=documented(400))
async def issue_tokens(
    *,
    form: Annotated[TokenForm, Form()],
    request: Request,
    response: Response,
    authenticator: TheAuthenticator,
    db: TheDb,
    browser: BrowserCookie = None,
    signing_in: SignInCookie = None,
) -> TokenAnswer:
    """Sign in by password, go on with a refresh token, or take over a sign-in at a provider."""
    sent = [name for name, _ in (await request.form()).multi_items()]
    if len(sent) != len(set(sent)):
        raise Problem(400, "invalid_request", "A field was sent twice.", oauth=True)
    client = _client(authenticator, form.client_id)
    now = utc_now()
    if form.grant_type == "password":
        scopes = _scopes(form.scope)
        new_browser = new_secret()
        user = await verify_password(
            db,
            authenticator.passwords,
            form.username,
            form.password,
            address=authenticator.address(request),
            browser=browser,
            new_browser=new_browser,
            now=now,
        )
        if user is None:
            raise invalid_grant()
        leave_cookie(response, authenticator.settings, BROWSER, new_browser)
        tokens = await authenticator.sessions.begin(db, user[0], client=client, scopes=scopes, now=now)
    elif form.grant_type == "refresh_token":
        if form.scope:
            raise Problem(400, "invalid_scope", "A sign-in keeps the scopes it began with.", oauth=True)
        try:
            tokens = await authenticator.sessions.refresh(db, form.refresh_token, client=client, now=now)
        except Problem:
            authenticator.forget()  # a family may have ended
            raise
    else:
        tokens = await _take_over(authenticator, db, form, client=client, browser=signing_in)
    response.headers["Cache-Control"] = "no-store"
    return _answer(tokens)


@router.post("/revoke", status_code=204)
async def revoke_token(form: Annotated[RevokeForm, Form()], authenticator: TheAuthenticator, db: TheDb) -> None:
    """Sign out: end the sign-in that an access or refresh token belongs to. Whoever holds it may."""
    now = utc_now()
    if form.token.startswith(REFRESH):
        session_id = await authenticator.sessions.of_refresh_token(db, form.token)
    else:
        try:
            session_id = (await access_tokens.verify(db, authenticator.keys, form.token, now=now)).session_id
        except Problem:
            return  # RFC 7009, 2.2: what is no token is revoked already
    if session_id is not None:
        await authenticator.sessions.revoke(db, session_id, reason="signed_out", now=now)
        authenticator.forget()


@router.post("/tickets", status_code=201, responses=documented(403))
async def issue_ticket(response: Response, db: TheDb, principal: ThePrincipal) -> Ticket:
    """A ticket for a WebSocket, whose handshake a browser gives no header."""
    ticket = await tickets.issue(
        db,
        "socket",
        user_id=principal.user_id,
        session_id=principal.session_id,
        key_id=principal.key_id,
        now=utc_now(),
    )
    response.headers["Cache-Control"] = "no-store"
    return Ticket(ticket=ticket, expires_in=round(tickets.LIFE["socket"].total_seconds()))


async def _take_over(
    authenticator: Authenticator, db: Prisma, form: TokenForm, *, client: str, browser: str | None
) -> Tokens:
    scopes, now = _scopes(form.scope), utc_now()
    try:
        redeemed = await tickets.redeem(db, "sign_in", form.code, browser=browser, now=now)
    except Problem:
        raise invalid_grant() from None
    if redeemed.user_id is None or await tickets.standing(db, redeemed) is None:
        raise invalid_grant()
    return await authenticator.sessions.begin(db, redeemed.user_id, client=client, scopes=scopes, now=now)


def _client(authenticator: Authenticator, sent: str) -> str:
    apps = authenticator.auth.first_party_apps
    client = sent or next(iter(apps), "")
    if client not in apps:
        raise Problem(400, "unauthorized_client", "This app may not ask for tokens here.", oauth=True)
    return client


def _scopes(sent: str) -> list[Scope] | None:
    asked = sent.split()
    if not asked:
        return None
    if set(asked) - set(SCOPES):
        raise Problem(400, "invalid_scope", f"There are only the scopes {', '.join(SCOPES)}.", oauth=True)
    return whole([scope for scope in SCOPES if scope in asked])


def _answer(tokens: Tokens) -> TokenAnswer:
    return TokenAnswer(
        access_token=tokens.access_token, expires_in=tokens.expires_in, refresh_token=tokens.refresh_token
    )
