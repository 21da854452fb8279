"""A server that ends its runs before its connections, so that open streams end with `run.finished`."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import uvicorn

from api.startup import Startup


class DrainingServer(uvicorn.Server):
    """Uvicorn waits for open answers first and closes the application afterwards; a stream's run would never hear.

    It also closes sockets at once. Here that comes (1012) after the runs that they follow have come to rest.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        startup = cast("Startup", self.lifespan.state["startup"])
        for server in self.servers:  # nobody new; whoever is here hears how their runs rest
            server.close()
        for listener in sockets or []:
            listener.close()
        closing = asyncio.create_task(startup.close())
        while not closing.done() and not self.force_exit:
            await asyncio.wait((closing,), timeout=0.1)
        await super().shutdown(sockets)
        await closing
