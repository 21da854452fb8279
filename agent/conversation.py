"""What was said before in a thread, as far as the model can be given it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from agent.grounding import Grounding
from agent.messages import ChatMessage, ToolCall
from agent.state import Snapshot
from agent.tokens import estimate

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import Message
    from prisma.client.types import MessageUncheckedCreateInput

PAGE = 400  # messages of a thread that are looked at, newest first


async def load_history(db: Prisma, thread_id: str) -> list[list[ChatMessage]]:
    """The thread's turns, oldest first. A turn is what one run said: calls and their results are together in it."""
    rows = await db.message.find_many(where={"thread_id": thread_id}, order={"position": "desc"}, take=PAGE)
    turns: list[list[Message]] = []
    for row in reversed(rows):
        begins = row.run_id is None and row.role == "user"  # what was said elsewhere: each request begins a turn
        if turns and turns[-1][0].run_id == row.run_id and not begins:
            turns[-1].append(row)
        else:
            turns.append([row])
    if len(rows) == PAGE:
        del turns[0]  # its beginning may be missing
    return [_turn(rows) for rows in turns]


async def seed(db: Prisma, thread_id: str, said: Sequence[tuple[Literal["user", "assistant"], str]]) -> None:
    """Let a thread that has no run yet begin with what was said elsewhere, oldest first: only the newest of it."""
    for position, (role, text) in enumerate(said[-PAGE // 2 :]):
        await db.message.create(data={"thread_id": thread_id, "position": position, "role": role, "content": text})


def observe_seed(grounding: Grounding, turns: Sequence[Sequence[ChatMessage]]) -> None:
    """What a thread began with: the person's words are the person's, what was answered a model made up."""
    for message in (message for turn in turns for message in turn):
        if message.role == "user":
            grounding.observe_user(message.content)
        else:
            grounding.observe_answer(message.content)


def grounding_after(last_state: Any, *, currencies: Sequence[str]) -> Grounding:
    """What the thread knows after its last run, which left `last_state`; None for a thread without one."""
    if last_state is None:
        return Grounding(currencies=currencies)
    return Grounding.load(Snapshot.model_validate(last_state).grounding)


def newest_that_fit(turns: Sequence[Sequence[ChatMessage]], *, tokens: int) -> list[ChatMessage]:
    """As many whole turns as fit into `tokens`, the newest, in order."""
    kept: list[Sequence[ChatMessage]] = []
    for turn in reversed(turns):
        tokens -= estimate(turn)
        if tokens < 0:
            break
        kept.append(turn)
    return [message for turn in reversed(kept) for message in turn]


def whole(messages: Sequence[ChatMessage]) -> int:
    """How many of `messages` can be kept apart from the rest: no call among them misses its answer."""
    pending: set[str] = set()
    end = 0
    for index, message in enumerate(messages, start=1):
        pending |= {call.id for call in message.calls}
        pending.discard(message.call_id or "")
        if not pending:
            end = index
    return end


def message_row(message: ChatMessage, *, thread_id: str, run_id: str, position: int) -> MessageUncheckedCreateInput:
    """A message as `messages` keeps it."""
    row: MessageUncheckedCreateInput = {
        "thread_id": thread_id,
        "run_id": run_id,
        "position": position,
        "role": message.role,
        "content": message.content,
        "call_id": message.call_id,
    }
    if message.calls:
        row["calls"] = [call.model_dump() for call in message.calls]
    return row


def _turn(rows: Sequence[Message]) -> list[ChatMessage]:
    messages: list[ChatMessage] = []
    tools: dict[str, str] = {}
    for row in rows:
        calls = tuple(ToolCall.model_validate(call) for call in row.calls or ())
        tools |= {call.id: call.tool for call in calls}
        tool = tools.get(row.call_id) if row.call_id else None
        messages.append(
            ChatMessage(role=row.role.value, content=row.content, calls=calls, call_id=row.call_id, tool=tool)
        )
    return messages
