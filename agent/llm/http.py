"""HTTP to model servers: one kind of client, one mapping of what can go wrong.

httpx's own connection pool holds back the 101st stream and costs more with every open one, so aiohttp carries the
bytes (`httpx_aiohttp`). Its limit is lifted too: how many runs there are at once is decided where they are admitted.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from typing import cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from agent.llm.errors import ContextOverflow, MalformedAnswer, ModelError, ModelNotFound, ModelUnavailable, StreamBroken

KEEPALIVE_SECONDS = 30.0


BEFORE_THE_ANSWER: tuple[tuple[tuple[type[Exception], ...], type[ModelError], str], ...] = (
    (
        (httpx.UnsupportedProtocol, httpx.InvalidURL, aiohttp.InvalidURL),
        ModelError,
        "{server} is not a URL that can be asked. {when_down}",
    ),
    (
        (httpx.TooManyRedirects, httpx.DecodingError, aiohttp.TooManyRedirects, ValueError, TypeError, AttributeError),
        MalformedAnswer,
        "{server} does not answer as a model server does. {when_down}",
    ),
    (
        (httpx.ReadTimeout, httpx.WriteTimeout, aiohttp.SocketTimeoutError),
        ModelUnavailable,
        "{server} did not answer in time; it may be overloaded or loading a model.",
    ),
)


def timeouts(*, connect_seconds: float, token_seconds: float) -> httpx.Timeout:
    """No limit on the whole answer, but on the silence between two pieces of it."""
    return httpx.Timeout(connect=connect_seconds, read=token_seconds, write=token_seconds, pool=None)


def transport(url: str) -> AiohttpTransport:
    """Carries the bytes to the server at `url`. Proxies of the environment are used, but not to this very machine."""
    context = ssl.create_default_context()  # 50 ms: made once

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ssl=context)
        return aiohttp.ClientSession(connector=connector, trust_env=not _is_here(url))

    return AiohttpTransport(client=session, verify=context)


class Asked:
    """A question to a model server, whose answer is streamed: `async with Asked(client, path, body) as answer`."""

    def __init__(self, client: httpx.AsyncClient, path: str, body: bytes) -> None:
        self._client = client
        self._path = path
        self._body = body
        self._answer: httpx.Response | None = None

    async def __aenter__(self) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        request = self._client.build_request("POST", self._path, content=self._body, headers=headers)
        self._answer = await self._client.send(request, stream=True)
        return self._answer

    async def __aexit__(self, *_: object) -> None:
        if self._answer is not None:
            await self._answer.aclose()
            self._answer.stream = httpx.ByteStream(b"")  # the two hold each other, and all that they hold, for long


def pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The bytes of a streamed answer as they arrive. Without an encoding there is nothing to decode, and httpx's two
    layers for it cost more of a token than reading its bytes."""
    if "content-encoding" in answer.headers:
        return answer.aiter_bytes()
    return aiter(cast("httpx.AsyncByteStream", answer.stream))


def _is_here(url: str) -> bool:
    host = url.split("//", 1)[-1].rsplit("@", 1)[-1]
    return host.startswith(("127.", "localhost", "[::1]", ":", "0.0.0.0"))  # noqa: S104 - read, not bound


def bare_url(url: str) -> str:
    """The URL as it may be shown: without user and password."""
    try:
        return str(httpx.URL(url).copy_with(username="", password="")).rstrip("/") if "@" in url else url
    except httpx.InvalidURL:
        return url.rsplit("@", 1)[-1]


def credentials(url: str) -> tuple[str, str] | None:
    """User and password of a URL that has them."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    return (parsed.username, parsed.password) if parsed.username else None


class Failures:
    """Turns exceptions and error answers of a model server into a `ModelError` that says what to do.

    Args:
        server: As a person calls it, like `Ollama at http://127.0.0.1:11434`.
        when_down: What to do when nobody answers.
        when_missing: What to do when it has no such model.
    """

    def __init__(
        self, *, server: str, model: str, when_down: str, when_missing: str, context: Callable[[], str]
    ) -> None:
        self._server = server
        self._model = model
        self._when_down = when_down
        self._when_missing = when_missing
        self._context = context

    def of_exception(self, error: Exception, *, started: bool) -> ModelError:
        """`started`: something of the answer had arrived."""
        if isinstance(error, ModelError):
            return error
        if started:
            return StreamBroken(f"{self._server} stopped in the middle of its answer ({type(error).__name__}).")
        for kinds, mapped, message in BEFORE_THE_ANSWER:
            if isinstance(error, kinds):
                return mapped(message.format(server=self._server, when_down=self._when_down))
        return ModelUnavailable(f"{self._server} cannot be reached. {self._when_down}")

    def of_status(self, status: int, message: str, *, retry_after: float | None = None) -> ModelError:
        """Of an error answer, whose own words are `message`."""
        said = message.strip()[:500] or f"status {status}"
        lower = said.lower()
        if "context" in lower and any(
            word in lower for word in ("exceed", "longer than", "maximum context", "too long")
        ):
            return ContextOverflow(f"The conversation is longer than {self._model!r} can read. {self._context()}")
        if status == 404 or ("model" in lower and "not found" in lower):
            return ModelNotFound(f"{self._server} has no model {self._model!r}. {self._when_missing}")
        if status in (401, 403):
            return ModelUnavailable(f"{self._server} refused the credentials (status {status}). {self._when_down}")
        if status in (408, 429, 502, 503, 504):
            return ModelUnavailable(f"{self._server} is overloaded or starting: {said}", retry_after=retry_after)
        return ModelError(f"{self._server} failed: {said}")


def retry_after_seconds(headers: httpx.Headers) -> float | None:
    """`Retry-After` in seconds; a date there is not worth the code."""
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else None
