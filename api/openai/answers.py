"""Sends an answer whole or as a stream, and calls off a run whose client has gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from agent.errors import AgentError
from api.openai.errors import error_body
from api.openai.exchange import Desk, End, Exchange
from api.openai.wire import Wire, error_status
from api.sse import EventStream, Gathered, client_gone

log = logging.getLogger(__name__)

CLIENT_GONE = 499  # nobody reads it
_STOPPING = ("interrupted", "The server is stopping; the run goes on elsewhere or after its start.")
_BROKEN = ("internal", "Something went wrong here. It has been logged.")


def headers_of(exchange: Exchange) -> dict[str, str]:
    """Where the run of an answer can be looked at."""
    if exchange.chore:
        return {}
    return {"x-deskclerk-run-id": exchange.run_id, "x-deskclerk-thread-id": exchange.thread_id}


def streamed(
    desk: Desk, exchange: Exchange, wire: Wire, *, heartbeat_seconds: float, on_end: Callable[[], None]
) -> Response:
    """The answer as it comes."""

    chunks = Gathered(_chunks(desk, exchange, wire))

    async def left() -> None:
        if not chunks.complete:
            await desk.left(exchange)

    return EventStream(
        chunks,
        heartbeat_seconds=heartbeat_seconds,
        headers=headers_of(exchange),
        heartbeat=wire.beat,
        on_left=left,
        on_end=on_end,
    )


async def _chunks(desk: Desk, exchange: Exchange, wire: Wire) -> AsyncGenerator[bytes]:
    """The whole answer. What goes wrong is told in it, for the stream has begun."""
    yield wire.first()
    end = End(error=_STOPPING)
    try:
        async for piece in desk.tell(exchange):
            if isinstance(piece, End):
                end = _judged(piece)
            else:
                yield wire.text(piece)
    except AgentError as error:
        end = End(error=(error.code, error.message))
    except Exception:
        log.exception("chat_broken_off", extra={"run_id": exchange.run_id})
        end = End(error=_BROKEN)
    yield wire.last(end)


async def whole(desk: Desk, exchange: Exchange, wire: Wire, request: Request) -> Response:
    """The answer in one piece."""
    telling = asyncio.create_task(_collect(desk, exchange))
    leaving = asyncio.create_task(client_gone(request.receive))
    try:
        await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            await desk.left(exchange)
            return Response(status_code=CLIENT_GONE)
        text, end = telling.result()
    finally:
        telling.cancel()
        leaving.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)
    if end.finish_reason is None and end.error is not None:
        code, message = end.error
        status = error_status(code)
        return _json(error_body(status, code, message), status, exchange)
    return _json(wire.whole(text, end), 200, exchange)


async def _collect(desk: Desk, exchange: Exchange) -> tuple[str, End]:
    pieces: list[str] = []
    end = End(error=_STOPPING)
    async for piece in desk.tell(exchange):
        if isinstance(piece, End):
            end = _judged(piece)
        else:
            pieces.append(piece)
    return "".join(pieces), end


def _judged(end: End) -> End:
    """An answer whose run has not come to rest: this process stops."""
    return end if end.status else End(error=_STOPPING)


def _json(body: dict[str, Any], status: int, exchange: Exchange) -> Response:
    return Response(orjson.dumps(body), status, headers_of(exchange), media_type="application/json")
