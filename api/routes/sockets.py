"""A conversation over a WebSocket: ask, read, decide and cancel on one connection. See docs/websocket.md."""

from __future__ import annotations

import logging
from typing import cast

from fastapi import APIRouter
from starlette.websockets import WebSocket

from agent import access
from agent.principal import Principal
from api.limits.gate import count_message, open_stream
from api.principal import still
from api.problems import Problem, problem_response
from api.settings import ApiSettings
from api.socket.entry import admit
from api.socket.session import Session
from api.startup import Startup

router = APIRouter(prefix="/v1/threads")

log = logging.getLogger(__name__)


@router.websocket("/{thread_id}/ws")
async def talk(socket: WebSocket, thread_id: str) -> None:
    """Open a socket on a thread. What cannot be opened is refused as any request is, with a problem."""
    try:
        settings = cast("ApiSettings", socket.state.settings)
        service = cast("Startup", socket.state.startup).service
        principal, protocol = await admit(socket, settings)
        if not await service.db.thread.count(where={**access.threads(principal), "id": thread_id}):
            raise Problem(404, "thread_not_found", f"No thread {thread_id!r}.")
        lease = open_stream(socket, principal)
    except Problem as problem:
        refusal = problem_response(problem.status_code, problem.code, problem.detail, headers=problem.headers)
        await socket.send_denial_response(refusal)
        return
    except Exception:
        log.exception("socket_not_opened")
        refusal = problem_response(500, "internal_error", "Something went wrong here. It has been logged.")
        await socket.send_denial_response(refusal)
        return

    async def recheck(principal: Principal) -> Principal:
        return await still(socket, principal)

    async def count(principal: Principal) -> None:
        await count_message(socket, principal)

    try:
        await socket.accept(subprotocol=protocol)
        await Session(socket, service.agent, service.db, principal, thread_id, recheck=recheck, count=count).run()
    finally:
        lease.close()
