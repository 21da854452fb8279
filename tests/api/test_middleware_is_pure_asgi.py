"""No `BaseHTTPMiddleware`: one of them costs more per streamed token than the rest of the server together."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware

from api.app import create_app
from api.settings import ApiSettings


def base_http_among(app: Any) -> list[str]:
    """Names of those in the stack that serves requests, walked from the outside in."""
    found: list[str] = []
    layer: Any = app.build_middleware_stack()
    while layer is not None:
        if isinstance(layer, BaseHTTPMiddleware):
            found.append(type(layer).__name__)
        layer = getattr(layer, "app", None)
    return found


@pytest.mark.parametrize("traces", ["off", "on"])
def test_all_installed_middleware_is_pure_asgi(traces: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    app = create_app(ApiSettings(traces=traces))
    assert [entry.cls for entry in app.user_middleware if issubclass(entry.cls, BaseHTTPMiddleware)] == []  # pyright: ignore[reportArgumentType]
    assert base_http_among(app) == []


def test_one_that_is_none_would_be_found():
    app = create_app(ApiSettings())
    app.add_middleware(BaseHTTPMiddleware, dispatch=_pass)
    assert base_http_among(app) == ["BaseHTTPMiddleware"]


async def _pass(request: Any, call_next: Any) -> Any:
    return await call_next(request)
