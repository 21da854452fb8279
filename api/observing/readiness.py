"""Whether the parts behind the server can work now: asked when `/readyz` is, at most once a second for all who ask."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

log = logging.getLogger(__name__)

Part = Literal["database", "model", "queue"]
Check = Callable[[], Awaitable[None]]
"""Returns when the part works.

Raises:
    NotWorking: It does not; anything else it raises means that too, and is logged.
"""

PATIENCE = 2.0  # seconds that a part has to answer
FRESH = 1.0  # seconds that an answer is given again


class NotWorking(Exception):
    """A part does not work. The message may be shown to anyone: no addresses, no secrets."""


class Readiness:
    """Asks each part, all at once."""

    def __init__(self, checks: Mapping[Part, Check]) -> None:
        self._checks = checks
        self._asked_at = float("-inf")
        self._known: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def troubles(self) -> dict[str, str]:
        """What is wrong with each part; `ok` where nothing is."""
        async with self._lock:  # who asks meanwhile gets the same answer
            if time.monotonic() - self._asked_at > FRESH:
                found = await asyncio.gather(*(self._ask(part, check) for part, check in self._checks.items()))
                self._known = dict(zip(self._checks, found, strict=True))
                self._asked_at = time.monotonic()
        return self._known

    async def _ask(self, part: Part, check: Check) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                await check()
        except NotWorking as trouble:
            said = str(trouble)
        except TimeoutError:
            said = f"no answer within {PATIENCE:g} seconds"
        except Exception as error:  # noqa: BLE001  whatever it is, the part does not work; the type says enough here
            said = f"no answer ({type(error).__name__})"
        else:
            return "ok"
        if self._known.get(part) != said:
            log.warning("part_not_ready", extra={"part": part, "trouble": said})
        return said
