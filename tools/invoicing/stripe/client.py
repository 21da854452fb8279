"""Stripe's HTTP API: one request, its retries, and what its answer means.

Source: https://docs.stripe.com/api (versioning, authentication, pagination, idempotent requests)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from tools.invoicing.stripe.errors import Busy, Declined, Detail, KeyReused, NotSent, Refused, StripeError, Unclear
from tools.invoicing.stripe.form import Value, form

API_BASE = "https://api.stripe.com"
VERSION = "2026-10-28.endive"  # what is read and written here is of this version, whatever the account's own is
TIMEOUT = httpx.Timeout(10.0, connect=4.0)  # seconds for one attempt
ATTEMPTS = 3
FIRST_WAIT = 0.3  # seconds, doubled each time, at random below that
LONGEST_WAIT = 4.0  # seconds; what asks for more is not waited for
LONGEST_TRY = 12.0  # seconds after which no further attempt begins
PAGE = 100  # objects, the most that Stripe lists at once

Json = dict[str, Any]


def inner(body: Json, name: str) -> Json:
    """The object at `name`; empty where there is none, or only its identifier."""
    found = body.get(name)
    return cast("Json", found) if isinstance(found, dict) else {}


def data_of(body: Json) -> list[Json]:
    """The objects of a list."""
    found = body.get("data")
    return cast("list[Json]", found) if isinstance(found, list) else []


# Of httpx's exceptions those that are raised before a request has left.
_BEFORE_IT_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that says yes. `replayed`: it is the answer that was first given to this key."""

    body: Json
    replayed: bool = False


class StripeClient:
    """Asks Stripe. Repeats only what may be repeated: reads, and writes with the same key.

    Args:
        base: Its root, like `https://api.stripe.com`.
        client: For tests; else one of its own.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base: str = API_BASE,
        client: httpx.AsyncClient | None = None,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Stripe-Version": VERSION}
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT)
        self._backoff = wait_random_exponential(multiplier=first_wait, max=LONGEST_WAIT)

    async def get(self, path: str, **params: Value) -> Json:
        """An object.

        Raises:
            StripeError: Refused with status 404 where there is none.
        """
        return (await self._send("GET", path, params=form(params))).body

    async def find(self, path: str, **params: Value) -> Json | None:
        """An object; None where there is none, or it was deleted.

        Raises:
            StripeError: Anything but that.
        """
        try:
            found = await self.get(path, **params)
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return None if found.get("deleted") else found

    async def every(self, path: str, **params: Value) -> AsyncGenerator[Json]:
        """Every object of a list, newest first, page by page."""
        after: str | None = None
        while True:
            page = await self.get(path, **params, limit=PAGE, starting_after=after)
            data = data_of(page)
            for each in data:
                yield each
            if not page.get("has_more") or not data:
                return
            after = str(data[-1]["id"])

    async def post(self, path: str, data: Mapping[str, Value], *, key: str) -> Reply:
        """Make or change something, once for each `key`."""
        return await self._send("POST", path, data=form(data), key=key)

    async def delete(self, path: str) -> None:
        """Delete something; that it is gone already is as good. Without a key: doing it twice changes nothing."""
        try:
            await self._send("DELETE", path)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: list[tuple[str, str]] | None = None,
        data: list[tuple[str, str]] | None = None,
        key: str | None = None,
    ) -> Reply:
        unclear = False
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(LONGEST_TRY),
                wait=self._wait,
                retry=retry_if_exception(_may_pass),
                reraise=True,
            ):
                with attempt:
                    try:
                        return await self._once(method, path, params or [], data, key)
                    except Unclear:
                        unclear = True
                        raise
        except (NotSent, Busy) as error:
            if unclear:  # an earlier attempt may have been carried out
                raise Unclear(f"{error}, after an attempt without an answer") from error
            raise
        raise AssertionError("unreachable: the last attempt raises")

    async def _once(
        self,
        method: str,
        path: str,
        params: list[tuple[str, str]],
        data: list[tuple[str, str]] | None,
        key: str | None,
    ) -> Reply:
        headers = self._headers | ({"Idempotency-Key": key} if key is not None else {})
        fields: dict[str, str] | None = dict(data) if data is not None else None
        try:
            response = await self._client.request(
                method, f"{self._base}{path}", params=httpx.QueryParams(tuple(params)), data=fields, headers=headers
            )
        except _BEFORE_IT_LEFT as error:
            raise NotSent(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Unclear(type(error).__name__) from error
        return _read(response)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Busy) and error.retry_after is not None:
            return error.retry_after
        return self._backoff(state)


def _may_pass(error: BaseException) -> bool:
    """Whether another attempt makes sense: it is the same request with the same key."""
    if isinstance(error, Busy):
        return error.retry_after is None or error.retry_after <= LONGEST_WAIT
    if isinstance(error, Unclear):
        return error.repeat
    return isinstance(error, NotSent)


def _read(response: httpx.Response) -> Reply:
    """The answer, or what it says instead."""
    status, replayed = response.status_code, response.headers.get("idempotent-replayed") == "true"
    body = _json(response)
    if response.is_success:
        if body is None:
            raise Unclear(f"{status} with a body that is not JSON")
        return Reply(body, replayed)
    raise _failure(response, status, _detail(body), replayed=replayed)


def _failure(response: httpx.Response, status: int, detail: Detail, *, replayed: bool) -> StripeError:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(f"{status} {detail.code}", retry_after=_seconds(response.headers.get("retry-after", "")))
    if status == HTTPStatus.CONFLICT:  # another request with this key is under way
        return Unclear(f"{status} {detail.code}", repeat=response.headers.get("stripe-should-retry") != "false")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        ended = status == HTTPStatus.INTERNAL_SERVER_ERROR and detail.type == "api_error"
        repeat = not replayed and response.headers.get("stripe-should-retry") != "false"
        return Unclear(f"{status} {detail.type}", ended=ended or replayed, repeat=repeat)
    if detail.type == "idempotency_error":
        return KeyReused(status, detail)
    if status == HTTPStatus.PAYMENT_REQUIRED or detail.type == "card_error":
        return Declined(status, detail)
    return Refused(status, detail)


def _json(response: httpx.Response) -> Json | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return cast("Json", body) if isinstance(body, dict) else None


def _detail(body: Json | None) -> Detail:
    said = inner(body or {}, "error")
    return Detail(*(str(said.get(name) or "") for name in ("type", "code", "decline_code", "message")))


def _seconds(value: str) -> float | None:
    """`Retry-After` in seconds; a date there is not worth the code."""
    return float(value) if value.isdecimal() else None
