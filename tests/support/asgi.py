"""An application and a client for it in this process, its lifespan running, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 30.0  # seconds


@dataclass
class Heard:
    """What became of a WebSocket. `status` is 101 where it opened, else that of the answer that refused it."""

    status: int
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refusal: dict[str, Any] = field(default_factory=dict[str, Any])


class Client(httpx.AsyncClient):
    """Its requests go straight into `app`."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://localhost"
        )
        self._app = app

    async def websocket(
        self, path: str, *says: dict[str, Any], headers: Mapping[str, str], offers: tuple[str, ...] = ()
    ) -> Heard:
        """Open a WebSocket, say one message after another, each once one was heard, and leave."""
        told: asyncio.Queue[Message] = asyncio.Queue()
        says_on: asyncio.Queue[Message] = asyncio.Queue()
        says_on.put_nowait({"type": "websocket.connect"})
        scope: Scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"localhost"), *((k.lower().encode(), v.encode()) for k, v in headers.items())],
            "client": ("127.0.0.1", 123),
            "subprotocols": list(offers),
            "extensions": {"websocket.http.response": {}},
        }
        serving = asyncio.ensure_future(self._app(scope, says_on.get, told.put))
        async with asyncio.timeout(PATIENCE):
            first = await told.get()
            if first["type"] != "websocket.accept":
                body = (await told.get())["body"]
                await serving
                return Heard(first["status"], refusal=json.loads(body))
            heard = Heard(101)
            for message in (*says, None):
                heard.messages.append(json.loads((await told.get())["text"]))
                if message is not None:
                    says_on.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
            says_on.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await serving
        return heard


@asynccontextmanager
async def in_process(app: FastAPI) -> AsyncGenerator[Client]:
    """A client of `app`. Bugs reach it as answers, as they would over HTTP."""
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        async with Client(with_state) as client:
            yield client
