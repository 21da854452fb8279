"""One attempt to deliver a webhook: a signed POST, and what came of it as data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING

from agent.webhooks.signing import signature

if TYPE_CHECKING:
    import httpx

TIMEOUT = 15.0  # seconds, for the whole of one attempt
AT_ONCE = 32  # attempts
LONGEST_ERROR = 300  # characters


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt.

    Attributes:
        problem: Why it was none; empty when the receiver has it.
        gone: The receiver wants no more of it.
        retry_after: Seconds that the receiver asks for; 0 when it says nothing.
    """

    problem: str = ""
    gone: bool = False
    retry_after: float = 0.0


class Sender:
    """Posts to one address.

    Args:
        keys: Each signs.
    """

    def __init__(self, url: str, keys: Sequence[bytes], *, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._keys = keys
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._places = asyncio.Semaphore(AT_ONCE)

    async def send(self, message_id: str, body: str) -> Answer:
        """Post once. Never raises for what the receiver or the network does."""
        async with self._places:
            try:
                async with asyncio.timeout(TIMEOUT):
                    return await self._post(message_id, body.encode())
            except TimeoutError:
                return Answer(f"No answer within {TIMEOUT:g} seconds.")
            except Exception as error:  # noqa: BLE001  whatever goes wrong on the way, the webhook has not arrived
                said = f"{type(error).__name__}: {error}".replace(self._url, "the address")
                return Answer(said[:LONGEST_ERROR])

    async def _post(self, message_id: str, body: bytes) -> Answer:
        now = self._clock()
        timestamp = int(now.timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "deskclerk",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._keys, message_id=message_id, timestamp=timestamp, body=body),
        }
        async with self._open().stream("POST", self._url, content=body, headers=headers) as response:
            return judge(response.status_code, response.headers.get("retry-after", ""), now=now)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            from agent.llm.http import transport

            timeout = httpx.Timeout(TIMEOUT, pool=None)
            self._client = httpx.AsyncClient(transport=transport(self._url), timeout=timeout, follow_redirects=False)
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def judge(status: int, retry_after: str, *, now: datetime) -> Answer:
    """2xx is delivered, 410 is the end, everything else (redirects too) a failed attempt."""
    if 200 <= status < 300:
        return Answer()
    problem = f"The receiver answered {status} {responses.get(status, '')}".rstrip() + "."
    return Answer(problem, gone=status == HTTPStatus.GONE, retry_after=_seconds(retry_after, now))


def _seconds(retry_after: str, now: datetime) -> float:
    """`Retry-After` in seconds; 0 for none, and for one that nobody can read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
