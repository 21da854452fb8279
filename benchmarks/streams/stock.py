"""What one gets from the tutorials: FastAPI, LangGraph's ready agent and ChatOllama, streamed by `astream`.

It keeps nothing, guards nothing and records nothing; the tokens are the same, in the same frames.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportDeprecated=false
# LangGraph and langchain-ollama ship no types for these; the successor of `create_react_agent` is another package.
from __future__ import annotations

import os
import warnings
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

MODEL = "qwen3:8b"


def create_app() -> FastAPI:
    """One agent for all requests, as stock examples have it."""
    from langchain_ollama import ChatOllama
    from langgraph.prebuilt import create_react_agent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent: Any = create_react_agent(ChatOllama(model=MODEL, base_url=os.environ["OLLAMA_HOST"]), tools=[])
    app = FastAPI()

    async def events() -> AsyncGenerator[bytes]:
        sequence = 0
        asked = {"messages": [{"role": "user", "content": "go"}]}
        async for chunk, _ in agent.astream(asked, stream_mode="messages"):
            if chunk.content:
                sequence += 1
                payload = orjson.dumps({"text": chunk.content})
                yield b"id: %d\nevent: token\ndata: %b\n\n" % (sequence, payload)
        yield b'id: %d\nevent: run.finished\ndata: {"status":"succeeded"}\n\n' % (sequence + 1)

    @app.post("/")
    async def stream() -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]  registered by the decorator
        return StreamingResponse(events(), media_type="text/event-stream")

    return app


def main() -> None:
    """Serve on a port of the system's choosing, with the server that deskclerk uses."""
    import uvicorn

    uvicorn.run(create_app(), host="127.0.0.1", port=0, access_log=False)


if __name__ == "__main__":
    main()
