"""How a request is refused that does not say who asks, or not well enough."""

from __future__ import annotations

import math

from agent.principal import Scope
from api.problems import Problem

REALM = 'Bearer realm="deskclerk"'  # not `Basic`: a browser would ask for a password by a window of its own


def not_authenticated() -> Problem:
    detail = "Sign in: POST /v1/auth/token, or send an API key."
    return Problem(401, "not_authenticated", detail, headers={"WWW-Authenticate": REALM})


def credentials_invalid() -> Problem:
    """One text for whatever is wrong, so that nothing is learnt from it."""
    headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
    return Problem(401, "credentials_invalid", "What was sent does not sign anybody in.", headers=headers)


def token_expired() -> Problem:
    """Only for a token that was ours and whole."""
    headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token", error_description="expired"'}
    return Problem(401, "token_expired", "The access token has expired; refresh it.", headers=headers)


def scope_missing(scope: Scope) -> Problem:
    headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}
    return Problem(403, "scope_missing", f"The key or token does not reach this far: {scope!r}.", headers=headers)


def person_needed() -> Problem:
    return Problem(403, "person_needed", "Only whoever signed in in full may do this, not a key and no limited token.")


def try_later(code: str, detail: str, *, seconds: float) -> Problem:
    return Problem(429, code, detail, headers={"Retry-After": str(max(1, math.ceil(seconds)))})
