"""SearXNG by its JSON API. Source: https://docs.searxng.org/dev/search_api.html"""

from __future__ import annotations

import json
from typing import Any, cast

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from tools.errors import Unavailable
from tools.search.base import SearchResult

MAX_BYTES = 2 * 2**20  # of one answer, unpacked; a page of results has some 50 kB
_PLAIN = {"Accept-Encoding": "identity"}  # what is not packed cannot unpack into more than it says
_CHUNK = 64 * 1024  # bytes
_TIMEOUT = httpx.Timeout(8.0, connect=3.0)  # seconds for one attempt
_ATTEMPTS = 3
_FIRST_WAIT = 0.2  # seconds
_RETRIED = frozenset((429, 500, 502, 503, 504))


class Searxng:
    """A SearXNG instance that allows `format=json`.

    Args:
        url: Its root, like `http://localhost:8888`.
        client: For tests; else one of its own.
    """

    def __init__(self, url: str, *, client: httpx.AsyncClient | None = None, first_wait: float = _FIRST_WAIT) -> None:
        self._url = url.rstrip("/")
        self._client = client or httpx.AsyncClient(timeout=_TIMEOUT)
        self._first_wait = first_wait

    async def search(self, query: str, *, limit: int) -> list[SearchResult]:
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(_ATTEMPTS),
                wait=wait_random_exponential(multiplier=self._first_wait, max=2.0),
                retry=retry_if_exception(_may_pass),
                reraise=True,
            ):
                with attempt:
                    return _results(json.loads(await self._answer(query)), limit)
        except httpx.HTTPStatusError as error:
            raise Unavailable(_refusal(error.response.status_code)) from None
        except httpx.HTTPError as error:
            raise Unavailable(f"Web search does not answer ({type(error).__name__}).") from None
        except (ValueError, RecursionError):
            raise Unavailable("Web search answers with something that is not its JSON.") from None
        raise AssertionError("unreachable: the last attempt raises")

    async def _answer(self, query: str) -> bytes:
        """The body of its answer, of which no more is read than one can need."""
        params = {"q": query, "format": "json"}
        async with self._client.stream("GET", f"{self._url}/search", params=params, headers=_PLAIN) as response:
            response.raise_for_status()
            body = bytearray()
            async for chunk in response.aiter_bytes(_CHUNK):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise Unavailable(f"Web search answers with more than {MAX_BYTES // 2**20} MiB.")
        return bytes(body)

    async def close(self) -> None:
        await self._client.aclose()


def _may_pass(error: BaseException) -> bool:
    """Whether another attempt makes sense; a search changes nothing, so it may be repeated."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _RETRIED
    return isinstance(error, httpx.TransportError)


def _refusal(status: int) -> str:
    if status == 403:
        return "Web search refuses: its settings.yml must list json under search.formats."
    return f"Web search answers with HTTP {status}."


def _results(body: Any, limit: int) -> list[SearchResult]:
    """The entries that have an http address; ValueError for a body that is no list of results."""
    entries = cast("dict[str, Any]", body).get("results") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no results")
    found: list[SearchResult] = []
    for entry in cast("list[Any]", entries):
        fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        url = str(fields.get("url") or "")
        if url.startswith(("http://", "https://")):
            found.append(SearchResult(str(fields.get("title") or ""), url, str(fields.get("content") or "")))
    return found[:limit]
