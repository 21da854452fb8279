"""`deskclerk serve` as a process to be killed, stopped and started again, on the port that it had."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.chaos.nursery import Born, Nursery

READY_WITHIN = 90.0  # seconds; a machine that runs other tests at once is slow
STOP_WITHIN = 60.0  # seconds


@dataclass
class Replica:
    """One server over a database.

    Attributes:
        settings: Its environment; `DIE_AT` makes it kill itself (`tests/support/deadly_server.py`).
        starts: How often it was started.
    """

    nursery: Nursery
    name: str
    settings: Mapping[str, str]
    folder: Path
    starts: int = 0
    port: int = 0
    frozen: bool = False
    _born: Born | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    @property
    def alive(self) -> bool:
        return self._born is not None and not self._born.ended.done()

    @property
    def _log_file(self) -> Path:
        return self.folder / f"{self.name}.{self.starts}.log"

    async def start(self, *, ready: bool = True, **settings: str) -> None:
        """Start it, listening on the port it had; with `settings` for this time only."""
        self.starts += 1
        self.frozen = False
        self._born = await self.nursery.bear(
            *("serve", "--port", str(self.port)),
            settings={**self.settings, **settings},
            cwd=self.folder,
            log=self._log_file,
        )
        while not (found := re.search(r"listening on http://[^ ]*:(\d+),", self.log)):
            self._must_live()
            await asyncio.sleep(0.02)
        self.port = int(found.group(1))
        if ready:
            await self.ready()

    async def ready(self) -> None:
        """Wait until it can work, or is dead."""
        async with httpx.AsyncClient(base_url=self.url, timeout=10) as http, asyncio.timeout(READY_WITHIN):
            while self.alive:
                try:
                    if (await http.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.03)

    def _must_live(self) -> None:
        assert self.alive, f"the server ended by itself:\n{self.log}"

    async def kill(self) -> None:
        """`kill -9`."""
        if self._born is not None:
            self._signal(signal.SIGKILL)
            await self.died()

    @property
    def pid(self) -> int:
        assert self._born is not None
        return self._born.pid

    @property
    def ended(self) -> asyncio.Future[int]:
        """Its exit code, when it has ended."""
        assert self._born is not None
        return self._born.ended

    async def died(self) -> int:
        """Wait until it has ended, or killed itself; its exit code."""
        return await asyncio.shield(self.ended)

    async def stop(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_WITHIN):
            await self.died()

    def freeze(self) -> None:
        """It stands still, and does not know."""
        self._signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        self.frozen = False

    def _signal(self, number: signal.Signals) -> None:
        if self._born is not None and self.alive:
            os.kill(self._born.pid, number)
