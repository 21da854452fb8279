"""The limit: a bare ASGI application that reads the same model server and sends the same events, and does nothing else.

No framework, no client library, no database, no parsing beyond a line's `content`. What deskclerk costs on top of this
is what it does: routing, validation, the graph, the log of events.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, cast

import orjson

REQUEST = orjson.dumps({"model": "qwen3:8b", "messages": [{"role": "user", "content": "go"}], "stream": True})


class _Relay(asyncio.Protocol):
    """Reads NDJSON from the model server and gathers frames."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._rest = b""
        self.frames: list[bytes] = []
        self.sequence = 0
        self.ended = False
        self.arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)  # uvloop's is one in all but its base class
        head = f"POST /api/chat HTTP/1.0\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        stream.write(f"{head}Content-Length: {len(REQUEST)}\r\n\r\n".encode() + REQUEST)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not line.startswith(b"{"):
                continue  # headers, and sizes of chunks
            answer = orjson.loads(line)
            self.ended = answer["done"]
            content = answer["message"]["content"]
            if content:
                self.sequence += 1
                payload = orjson.dumps({"text": content})
                self.frames.append(b"id: %d\nevent: token\ndata: %b\n\n" % (self.sequence, payload))
        self.arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self.ended = True
        self.arrived.set()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI's signature
    """Any path streams; nothing else is answered."""
    assert scope["type"] == "http"
    host, port = os.environ["OLLAMA_HOST"].removeprefix("http://").split(":")
    transport, relay = await asyncio.get_running_loop().create_connection(lambda: _Relay(host), host, int(port))
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while not relay.ended or relay.frames:
        await relay.arrived.wait()
        relay.arrived.clear()
        frames, relay.frames = relay.frames, []
        if frames:
            await send({"type": "http.response.body", "body": b"".join(frames), "more_body": True})
    finish = b'id: %d\nevent: run.finished\ndata: {"status":"succeeded"}\n\n' % (relay.sequence + 1)
    await send({"type": "http.response.body", "body": finish, "more_body": False})
    transport.close()


def main() -> None:
    """Serve on a port of the system's choosing, with the server that deskclerk uses."""
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=0, access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
