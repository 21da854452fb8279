"""A server that stops in two steps: first its runs, while it still answers, and then its connections.

On the first signal nothing new begins (503 with `Retry-After`, and `/readyz` says so), open streams end with their
runs, and what is not done in time goes on in another process or after the next start. A second signal ends the process
at once, as if it had been killed: what that breaks off goes on in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from types import FrameType
from typing import cast

import uvicorn

from api.startup import Startup

log = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Uvicorn waits for open answers first and closes the application afterwards; a stream's run would never hear.

    It also closes WebSockets at once. Here that comes (1012) after the runs that they follow have come to rest.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            log.warning("stopped_at_once", extra={"signal": signal.Signals(sig).name})
            signal.signal(sig, signal.SIG_DFL)
            os.kill(os.getpid(), sig)
        log.info("stopping", extra={"signal": signal.Signals(sig).name})
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        startup = cast("Startup", self.lifespan.state["startup"])
        await asyncio.gather(startup.close(), return_exceptions=True)
        await super().shutdown(sockets)
