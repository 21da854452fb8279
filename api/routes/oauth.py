"""Sign-in at a provider: away to it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from api.auth import tickets
from api.auth.cookies import drop_cookie, leave_cookie
from api.auth.oidc import flow
from api.auth.oidc.identities import user_of
from api.auth.oidc.redirects import LONGEST, is_own_path
from api.auth.same_machine import names_this_machine
from api.auth.secret_tokens import digest
from api.principal import TheAuthenticator
from api.problems import Problem, documented
from api.state import TheDb
from tools.context import utc_now

if TYPE_CHECKING:
    from api.auth.authenticator import Authenticator
    from api.auth.oidc.discovery import Discovery
    from api.auth.settings import Provider

router = APIRouter(prefix="/v1/auth/oauth", tags=["sign-in"], responses=documented(502, 503))

NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class ProviderList(BaseModel):
    """Where one may sign in."""

    providers: list[str]


class SignedIn(BaseModel):
    """A sign-in to take over within seconds, once, in this browser."""

    code: Annotated[str, Field(description="For `POST /v1/auth/token` with `grant_type=authorization_code`.")]
    expires_in: Annotated[int, Field(description="Seconds.")]


@router.get("")
async def list_providers(authenticator: TheAuthenticator) -> ProviderList:
    """The providers that are configured, by name."""
    return ProviderList(providers=sorted(authenticator.auth.oidc_providers))


@router.get("/{provider}/login", response_class=Response, status_code=303, responses=documented(404, 429))
async def begin_sign_in(
    provider: str,
    request: Request,
    authenticator: TheAuthenticator,
    db: TheDb,
    redirect: Annotated[str | None, Query(max_length=LONGEST, description="A path of this server to end at.")] = None,
) -> Response:
    """Send the browser to a provider."""
    chosen, discovery = _provider(authenticator, provider)
    if redirect is not None and not is_own_path(redirect):
        raise Problem(400, "redirect_not_allowed", "`redirect` is a path of this server, like `/chat`.")
    begun = await flow.begin(
        db,
        provider,
        chosen,
        discovery,
        callback=_callback(authenticator, request, provider),
        redirect=redirect,
        now=utc_now(),
    )
    response = RedirectResponse(begun.url, 303, headers=NO_STORE)
    leave_cookie(
        response,
        authenticator.settings,
        _cookie(begun.state),
        begun.browser,
        seconds=round(flow.LIFE.total_seconds()),
        same_site="lax",  # it must come along when the provider sends the browser back
    )
    return response


@router.get(
    "/{provider}/callback",
    response_model=SignedIn,
    responses={303: {"description": "To the path that was asked for, with the code behind `#code=`."}}
    | documented(401, 403, 404),
)
async def finish_sign_in(provider: str, request: Request, authenticator: TheAuthenticator, db: TheDb) -> Response:
    """Where the provider sends the browser back to.

    What it ends with is a code and no token, so that no token stands in an address; it is worth nothing in another
    browser.
    """
    chosen, discovery = _provider(authenticator, provider)
    returned = dict(request.query_params)
    if len(returned) != len(request.query_params.multi_items()):
        raise flow.state_invalid()
    cookie, now = _cookie(returned.get("state", "")), utc_now()
    browser = request.cookies.get(cookie)
    back = await flow.finish(
        db,
        provider,
        chosen,
        discovery,
        callback=_callback(authenticator, request, provider),
        returned=returned,
        browser=browser,
        now=now,
    )
    user_id = await user_of(db, provider, chosen, back.identity, now=now)
    code = await tickets.issue(db, "sign_in", user_id=user_id, browser=browser, now=now)
    response: Response
    if back.redirect is None:
        signed_in = SignedIn(code=code, expires_in=round(tickets.LIFE["sign_in"].total_seconds()))
        response = Response(signed_in.model_dump_json(), 200, NO_STORE, "application/json")
    else:
        response = RedirectResponse(f"{back.redirect}#code={code}", 303, headers=NO_STORE)
    drop_cookie(response, authenticator.settings, cookie)
    leave_cookie(response, authenticator.settings, tickets.COOKIE, browser or "", seconds=60)
    return response


def _provider(authenticator: Authenticator, name: str) -> tuple[Provider, Discovery]:
    chosen = authenticator.auth.oidc_providers.get(name)
    if chosen is None:
        raise Problem(404, "provider_not_found", f"No provider {name!r}.")
    return chosen, authenticator.discoveries[name]


def _callback(authenticator: Authenticator, request: Request, provider: str) -> str:
    """Our own address; never by what a stranger writes into `Host`."""
    base = authenticator.settings.public_url.rstrip("/")
    if not base:
        host = request.headers.get("host", "")
        if not names_this_machine(f"//{host}"):
            raise Problem(421, "host_not_allowed", "Without DESKCLERK_PUBLIC_URL, people sign in at localhost only.")
        base = f"http://{host}"
    return f"{base}/v1/auth/oauth/{provider}/callback"


def _cookie(state: str) -> str:
    """One for each sign-in that is under way, so that two windows do not disturb each other."""
    return f"deskclerk_oauth_{digest(state)[:16]}"
