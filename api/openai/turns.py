"""Which thread a stateless request belongs to: the one whose recorded conversation is what the request begins with.

A turn is kept by two digests: of the conversation as it was sent, and of the same with our answer. A request whose
earlier messages have the second one of a thread's newest turn goes on with that thread, and so with everything that the
thread knows. Any other begins a thread, seeded with what the client says was said. See docs/adr/0009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.digest import digest
from agent.principal import Principal
from api.openai.messages import Conversation, Said
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import ChatTurn
    from prisma.client.types import ChatTurnWhereInput

LOOKED_AT = 20  # turns with the same digest: the same words in several conversations
RETRIED_WITHIN = timedelta(minutes=15)  # a client's own retries come within this
SAME_FIRST_WORDS = timedelta(minutes=10)  # the same first request later than this is a new one


def conversation_digest(before: Sequence[Said], *more: Said) -> str:
    """Names what was said, whatever white space a client has trimmed."""
    return digest(said=[(role, " ".join(text.split())) for role, text in (*before, *more)])


@dataclass(frozen=True, slots=True)
class Turns:
    """The exchanges of one caller."""

    db: Prisma
    principal: Principal

    async def before(self, conversation: Conversation) -> ChatTurn | None:
        """The turn that this conversation goes on from: it is its thread's newest, and ended with the same words."""
        if not conversation.before:
            return None
        return await self._newest({"said": conversation_digest(conversation.before)})

    async def same(self, conversation: Conversation) -> ChatTurn | None:
        """The same request, asked before and still its thread's newest turn: a retry, or a wish for another answer."""
        return await self._newest({"asked": asked_digest(conversation)})

    async def _newest(self, where: ChatTurnWhereInput) -> ChatTurn | None:
        mine: ChatTurnWhereInput = {
            "tenant_id": self.principal.tenant_id,
            "user_id": self.principal.user_id,
            "thread": {"is": {"deleted_at": None}},
        }
        rows = await self.db.chatturn.find_many(
            where={**mine, **where}, order=[{"created_at": "desc"}, {"id": "desc"}], take=LOOKED_AT
        )
        for row in rows:
            newest = await self.db.chatturn.find_first(
                where={"thread_id": row.thread_id}, order=[{"created_at": "desc"}, {"id": "desc"}]
            )
            if newest is not None and newest.id == row.id:
                return row
        return None

    async def of_run(self, run_id: str) -> ChatTurn | None:
        """The first turn of a run."""
        return await self.db.chatturn.find_first(where={"run_id": run_id}, order={"created_at": "asc"})

    async def record(self, conversation: Conversation, *, thread_id: str, run_id: str, after: int = 0) -> ChatTurn:
        """A new exchange, which has no answer yet."""
        return await self.db.chatturn.create(
            data={
                "tenant_id": self.principal.tenant_id,
                "user_id": self.principal.user_id,
                "thread_id": thread_id,
                "run_id": run_id,
                "asked": asked_digest(conversation),
                "after": after,
                "created_at": utc_now(),
            }
        )

    async def answered(self, turn_id: str, conversation: Conversation, text: str) -> None:
        """What the client has read as the answer, or as far as it has."""
        said = conversation_digest(conversation.before, ("user", conversation.words), ("assistant", text))
        await self.db.chatturn.update_many(data={"said": said}, where={"id": turn_id})


def asked_digest(conversation: Conversation) -> str:
    """Names a request with all that was said before it."""
    return conversation_digest(conversation.before, ("user", conversation.words))


def is_recent(turn: ChatTurn, within: timedelta, *, now: datetime) -> bool:
    """Whether an exchange began within this time."""
    return now - turn.created_at < within
