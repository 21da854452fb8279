"""An agent in this process, by its public entry."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from mimetypes import guess_type

from agent.principal import DEFAULT_TENANT, Principal, Role
from agent.records import StoredEvent
from agent.service import Agent
from evals.case import Decision
from prisma import Prisma
from tools.stored import store_document

_DECIDER = Principal(DEFAULT_TENANT, None, frozenset[Role]({"approver"}))


class LocalDesk:
    """`role` asks; an approver decides."""

    def __init__(self, agent: Agent, db: Prisma, role: Role) -> None:
        self._agent = agent
        self._db = db
        self._principal = Principal(DEFAULT_TENANT, None, frozenset({role}))

    async def begin_thread(self) -> str:
        return (await self._db.thread.create(data={"tenant_id": DEFAULT_TENANT})).id

    async def upload(self, name: str, content: bytes) -> str:
        media_type = guess_type(name)[0] or "application/octet-stream"
        row = await store_document(self._db, DEFAULT_TENANT, name=name, media_type=media_type, content=content)
        return row.id

    async def submit(self, thread_id: str, text: str, documents: Sequence[str]) -> str:
        return await self._agent.submit(thread_id=thread_id, input=text, documents=documents, principal=self._principal)

    async def events(self, run_id: str, *, after: int) -> AsyncGenerator[StoredEvent]:
        async with aclosing(self._agent.events(run_id, after=after)) as events:
            async for event in events:
                yield event

    async def decide(self, approval_id: str, *, decision: Decision, digest: str, reason: str | None) -> None:
        await self._agent.decide(approval_id, decision=decision, digest=digest, reason=reason, principal=_DECIDER)
