"""While nobody signs in, a web page must not be able to use the server through its reader's browser.

Binding to loopback keeps other machines out, but not a page that this machine's browser shows: it may post to
`http://127.0.0.1` (cross-site request forgery) or point its own name at 127.0.0.1 (DNS rebinding). Browsers tell the
name that was asked for (`Host`) and the page that asks (`Origin`), and pages cannot change either.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from api.problems import Problem
from api.settings import is_loopback


def only_this_machine(connection: HTTPConnection) -> None:
    """Let pass what was asked for by a name of this machine, and by no page of another site.

    Raises:
        Problem: 421 `host_not_allowed`, 403 `origin_not_allowed`.
    """
    origin = connection.headers.get("origin")
    if not names_this_machine(f"//{connection.headers.get('host', '')}"):
        raise Problem(421, "host_not_allowed", "While nobody signs in, the server answers to localhost only.")
    if origin is not None and not names_this_machine(origin):
        raise Problem(403, "origin_not_allowed", "While nobody signs in, pages of other sites are not answered.")


def names_this_machine(url: str) -> bool:
    """Whether the host of `url` is this machine by any of its names."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def same_origin_or_none(connection: HTTPConnection) -> None:
    """Let pass what no page sent, or a page of this server.

    Raises:
        Problem: 403 `origin_not_allowed`.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return
    try:
        asks = urlsplit(origin).netloc
    except ValueError:
        asks = ""
    if asks.lower() != connection.headers.get("host", "").lower():
        raise Problem(403, "origin_not_allowed", "A page of another site may not sign in by name and password.")
