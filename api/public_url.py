"""Where people reach this server from outside."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from api.settings import ApiSettings


def public_url(settings: ApiSettings, connection: HTTPConnection) -> str:
    """`DESKCLERK_PUBLIC_URL` without a slash at its end; when it is not set, as this very caller reached us."""
    return settings.public_url.rstrip("/") or str(connection.base_url).rstrip("/")
