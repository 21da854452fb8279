"""A server that ends its runs before its connections, so that open streams end with `run.finished`."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import uvicorn

from api.startup import Startup


class DrainingServer(uvicorn.Server):
    """Uvicorn waits for open answers first and closes the application afterwards; a stream's run would never hear."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        startup = cast("Startup", self.lifespan.state["startup"])
        closing = asyncio.create_task(startup.close())
        await super().shutdown(sockets)
        await closing
