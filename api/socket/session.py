"""One open socket: what its client says, the runs that it follows, and when it ends."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect

from agent import access
from agent.errors import AgentError, ApprovalNotFound, RunNotFound, TooBusy
from agent.principal import Principal
from agent.records import ENDED
from agent.service import Agent
from api.problems import Problem
from api.socket.messages import (
    Cancel,
    Decide,
    Misunderstood,
    NotAnObject,
    NotText,
    Ping,
    Resume,
    Send,
    event_frame,
    frame,
    parse,
)
from api.socket.outbox import Outbox, TooSlow
from prisma.errors import DatabaseConnectionError

if TYPE_CHECKING:
    from prisma import Prisma

log = logging.getLogger(__name__)

MOST_FOLLOWED = 32  # runs at once on one socket
PATIENCE = 60.0  # seconds that a reader may take nothing
LOOK_AGAIN = 2.0  # seconds between two looks whether somebody else has decided
CHECK_EVERY = 2.0  # seconds between two looks whether the caller still may

# Close codes: docs/websocket.md.
UNREADABLE, UNSUPPORTED, BROKEN, SIGNED_OUT, SLOW = 1007, 1003, 1011, 4401, 4408

NOT_READY = 503

Recheck = Callable[[Principal], Awaitable[Principal]]
Count = Callable[[Principal], Awaitable[None]]  # raises a Problem of those who say too much


class Session:
    """A socket of one caller on one thread."""

    def __init__(
        self,
        socket: WebSocket,
        agent: Agent,
        db: Prisma,
        principal: Principal,
        thread_id: str,
        *,
        recheck: Recheck,
        count: Count,
    ) -> None:
        self._socket = socket
        self._agent = agent
        self._db = db
        self._principal = principal
        self._thread_id = thread_id
        self._recheck = recheck
        self._count = count
        self._outbox = Outbox(socket.send_text, patience=PATIENCE)
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._decided = asyncio.Event()

    async def run(self) -> None:
        """Until the client leaves or must."""
        await self._outbox.put(frame("hello", thread_id=self._thread_id))
        jobs = [asyncio.create_task(work) for work in (self._listen(), self._outbox.run(), self._watch())]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            await self._close(next(iter(done)).exception())
        finally:
            tasks = [*jobs, *self._followed.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self, reason: BaseException | None) -> None:
        match reason:
            case None | WebSocketDisconnect():
                return
            case NotAnObject():
                code, text = UNREADABLE, str(reason)
            case NotText():
                code, text = UNSUPPORTED, "Messages are text."
            case TooSlow():
                code, text = SLOW, "Nothing was read for too long; resume."
            case Problem():
                code, text = SIGNED_OUT, reason.code
            case _:
                log.error("socket_broken", exc_info=reason)
                code, text = BROKEN, "internal"
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it has gone already
            async with asyncio.timeout(1.0):
                await self._socket.close(code, text)

    async def _watch(self) -> None:
        """Raises what the check says when the caller may no longer be here."""
        while True:
            await asyncio.sleep(CHECK_EVERY)
            try:
                self._principal = await self._recheck(self._principal)
            except DatabaseConnectionError:
                continue  # nothing can be done meanwhile either
            except Problem as problem:
                if problem.status_code != NOT_READY:  # the server stops, and closes the socket itself
                    raise

    # ------------------------------------------------------------ what the client says

    async def _listen(self) -> None:
        while True:
            text = await self._read()
            ref: str | None = None
            try:
                message = parse(text)
                ref = message.ref
                await self._count(self._principal)
                await self._heed(message)
            except Misunderstood as wrong:
                await self._outbox.put(frame("error", wrong.ref, code=wrong.code, message=str(wrong)))
            except AgentError as refused:
                later = math.ceil(refused.retry_after_seconds) if isinstance(refused, TooBusy) else None
                told = frame("error", ref, code=refused.code, message=refused.message, retry_after=later)
                await self._outbox.put(told)
            except Problem as problem:
                later = int((problem.headers or {}).get("Retry-After", 0)) or None
                told = frame("error", ref, code=problem.code, message=problem.detail, retry_after=later)
                await self._outbox.put(told)

    async def _read(self) -> str:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1000))
        text: str | None = received.get("text")
        if text is None:
            raise NotText
        return text

    async def _heed(self, message: Send | Resume | Decide | Cancel | Ping) -> None:
        match message:
            case Ping():
                await self._outbox.put(frame("pong", message.ref))
            case Send():
                self._check_room()
                await self._ask(message)
            case Resume():
                await self._own(message.run_id)
                self._stop_following(message.run_id)
                self._check_room()
                self._follow(message.run_id, message.after)
            case Cancel():
                await self._own(message.run_id)
                await self._agent.cancel(message.run_id, principal=self._principal)
                await self._outbox.put(frame("cancelled", message.ref, run_id=message.run_id))
                self._decided.set()
            case Decide():
                await self._decide(message)

    async def _ask(self, message: Send) -> None:
        run_id = await self._agent.submit(
            thread_id=self._thread_id,
            input=message.input,
            documents=message.documents,
            principal=self._principal,
            idempotency_key=message.key,
            when_busy=message.multitask,
        )
        await self._outbox.put(frame("accepted", message.ref, run_id=run_id))
        if run_id not in self._followed:
            self._follow(run_id, 0)

    async def _decide(self, message: Decide) -> None:
        row = await self._db.approval.find_first(
            where={
                "AND": [
                    access.approvals(self._principal),
                    {"id": message.approval_id, "run": {"is": {"thread_id": self._thread_id}}},
                ]
            }
        )
        if row is None:
            raise ApprovalNotFound(message.approval_id)
        await self._agent.decide(
            message.approval_id,
            decision=message.type,
            digest=message.digest,
            reason=message.reason,
            principal=self._principal,
        )
        await self._outbox.put(frame("decided", message.ref, approval_id=row.id, run_id=row.run_id))
        self._decided.set()

    async def _own(self, run_id: str) -> None:
        """Raises `RunNotFound` unless the run is one of this thread."""
        if not await self._db.run.count(where={"id": run_id, "thread_id": self._thread_id}):
            raise RunNotFound(run_id)

    # ------------------------------------------------------------ what the client hears

    def _check_room(self) -> None:
        for run_id in [run_id for run_id, task in self._followed.items() if task.done()]:
            del self._followed[run_id]
        if len(self._followed) >= MOST_FOLLOWED:
            raise Problem(429, "too_many_runs", f"At most {MOST_FOLLOWED} runs are followed on one socket.")

    def _follow(self, run_id: str, after: int) -> None:
        self._followed[run_id] = asyncio.create_task(self._tell(run_id, after))

    def _stop_following(self, run_id: str) -> None:
        task = self._followed.pop(run_id, None)
        if task is not None:
            task.cancel()

    async def _tell(self, run_id: str, after: int) -> None:
        """A run's events until it has ended; while it waits for a person, until somebody decides."""
        try:
            while True:
                async for event in self._agent.events(run_id, after=after, principal=self._principal):
                    await self._outbox.put(event_frame(run_id, event))
                    after = event.sequence
                if not self._agent.ready:  # it stops: what the run still has to tell can be resumed
                    return
                row = await self._db.run.find_unique(where={"id": run_id})
                if row is None or row.status in ENDED:
                    return
                self._decided.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN):
                        await self._decided.wait()
        except AgentError as gone:
            await self._outbox.put(frame("error", code=gone.code, message=gone.message, run_id=run_id))
        except Exception:
            log.exception("run_not_told", extra={"run_id": run_id})
            await self._outbox.put(
                frame("error", code="internal_error", message="Resume the run from its last event.", run_id=run_id)
            )
