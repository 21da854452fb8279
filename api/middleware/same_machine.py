"""While nobody signs in, a web page must not be able to use the server through its reader's browser.

Binding to loopback keeps other machines out, but not a page that this machine's browser shows: it may post to
`http://127.0.0.1` (cross-site request forgery) or point its own name at 127.0.0.1 (DNS rebinding). Browsers tell the
name that was asked for (`Host`) and the page that asks (`Origin`), and pages cannot change either.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem_response
from api.settings import is_loopback


def _names_this_machine(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


class SameMachine:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if not _names_this_machine(f"//{headers.get('host', '')}"):
            detail = "Without sign-in (DESKCLERK_AUTH=off) the server answers to localhost only."
            await problem_response(421, "host_not_allowed", detail)(scope, receive, send)
        elif origin is not None and not _names_this_machine(origin):
            detail = "Without sign-in (DESKCLERK_AUTH=off) pages of other sites are not answered."
            await problem_response(403, "origin_not_allowed", detail)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
