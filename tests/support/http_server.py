"""A small HTTP/1.1 server for fakes of model servers: raw asyncio, so that hundreds of slow streams cost little."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

import orjson

READ_LIMIT = 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Disconnect(Exception):
    """Cut the connection now, as a crashed server does."""


class EndEarly(Exception):
    """End the answer properly, before it is whole."""


@dataclass(slots=True)
class Answer:
    """Headers and body. A `stream` is sent chunk by chunk, each as soon as it is there."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    stream: AsyncIterator[bytes] | None = None


Handler = Callable[[Request], Awaitable[Answer]]


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, body=orjson.dumps(value), headers=names)


class HttpServer:
    """Serves `handler` on a port of the system's choosing.

    Attributes:
        cut_bytes: Streams are sent in pieces of this many bytes, each in its own segment, wherever lines end.
        streaming, most_streaming: Streams under way now, and the most there were at once.
        abandoned: Streams that the client closed before their end.
    """

    def __init__(self, handler: Handler, *, cut_bytes: int | None = None) -> None:
        self._handler = handler
        self.cut_bytes = cut_bytes
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.streaming = self.most_streaming = self.abandoned = 0
        self.abandoned_one = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port, limit=READ_LIMIT, backlog=2048)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def serve_forever(self) -> None:
        assert self._server is not None
        await self._server.serve_forever()

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                answer = await self._handler(request)
                if answer.stream is None:
                    writer.write(_head(answer, f"Content-Length: {len(answer.body)}") + answer.body)
                    await writer.drain()
                else:
                    await self._send_stream(answer, answer.stream, reader, writer)
        except Disconnect:
            linger = struct.pack("ii", 1, 0)  # reset, so that the client cannot take it for the end
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away; `abandoned` has counted it
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _send_stream(
        self, answer: Answer, stream: AsyncIterator[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.streaming += 1
        self.most_streaming = max(self.most_streaming, self.streaming)
        gone = asyncio.ensure_future(reader.read(1))  # a client says nothing while it listens
        sending = asyncio.ensure_future(self._send_chunks(answer, stream, writer))
        try:
            await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                self.abandoned += 1
                self.abandoned_one.set()
                raise ConnectionResetError
            sending.result()
        finally:
            self.streaming -= 1
            for task in (sending, gone):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def _send_chunks(self, answer: Answer, stream: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        writer.write(_head(answer, "Transfer-Encoding: chunked"))
        with suppress(EndEarly):
            async for data in stream:
                size = self.cut_bytes or len(data)
                for start in range(0, len(data), size):
                    piece = data[start : start + size]
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    if self.cut_bytes:
                        await writer.drain()
                        await asyncio.sleep(0)
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _head(answer: Answer, framing: str) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", f"Content-Type: {answer.content_type}"]
    lines += [framing, *(f"{name}: {value}" for name, value in answer.headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)
