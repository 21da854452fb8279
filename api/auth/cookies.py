"""The cookies that we leave. None signs anybody in: a page of another site gains nothing by having them sent."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

from api.settings import ApiSettings

BROWSER = "deskclerk_browser"  # tells a browser that has signed in here from others at its address: see brake.py
_LIFE = 60 * 24 * 3600  # seconds
_PATH = "/v1/auth"


def leave_cookie(
    response: Response,
    settings: ApiSettings,
    name: str,
    value: str,
    *,
    seconds: int = _LIFE,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Out of the reach of scripts; over https only where people reach us by it."""
    response.set_cookie(
        name, value, max_age=seconds, path=_PATH, secure=is_https(settings), httponly=True, samesite=same_site
    )


def drop_cookie(response: Response, settings: ApiSettings, name: str) -> None:
    response.delete_cookie(name, path=_PATH, secure=is_https(settings), httponly=True)


def is_https(settings: ApiSettings) -> bool:
    return settings.public_url.startswith("https:")
