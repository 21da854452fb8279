"""One request and its answer: which run it begins, goes on with or asks again, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import orjson

from agent.conversation import seed
from agent.errors import AgentError, IdempotencyConflict
from agent.options import MAX_INSTRUCTIONS, RunOptions
from agent.principal import Principal
from agent.records import ENDED
from agent.run_store import stored_key
from agent.service import Agent
from api.documents import store_document
from api.openai import waiting
from api.openai.chores import is_chore
from api.openai.messages import Conversation
from api.openai.narrator import Narrator, StopAt, finished
from api.openai.turns import RETRIED_WITHIN, SAME_FIRST_WORDS, Turns, asked_digest, is_recent
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client.models import ChatTurn, Run

TURN_CHECKS, TURN_INTERVAL = 40, 0.05  # looks, and seconds between them, for what a request at the same moment records
FinishReason = Literal["stop", "length", "content_filter"]

TITLE_LENGTH = 80  # characters of the first request that name its thread
ANOTHER_ANSWER = (
    "The person asks for another answer to a request that was carried out already. What was done for it stands and "
    "nothing is done again: say what was done."
)


# Codes of runs that could not do what was asked, and OpenAI's reason why the answer ends there: the person is told in
# words. Every other code is an error of the server or its model.
OUTCOMES: dict[str, FinishReason] = {
    "step_limit": "stop",
    "time_limit": "stop",
    "call_limit": "stop",
    "loop": "stop",
    "cancelled": "stop",
    "token_limit": "length",
    "input_refused": "content_filter",
    "output_refused": "content_filter",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of this exchange."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """The end of an answer. `error`: code and message of a run that failed. `status`: the run's; empty: none ran."""

    status: str = ""
    usage: Usage = Usage()
    error: tuple[str, str] | None = None

    @property
    def finish_reason(self) -> FinishReason | None:
        """None where the answer ends with an error."""
        return "stop" if self.error is None else OUTCOMES.get(self.error[0])


@dataclass(slots=True)
class Exchange:
    """A request that was taken.

    Attributes:
        run_id: Whose events are told, above `after`; empty when there is nothing but `text`.
        text: Told first.
        chore: An application's own request, of which nothing is kept.
        stop: Ends what is told before the client's stop sequences.
        told: What was told so far.
    """

    conversation: Conversation
    run_id: str = ""
    thread_id: str = ""
    turn_id: str = ""
    after: int = 0
    text: str = ""
    chore: bool = False
    stop: StopAt = field(default_factory=lambda: StopAt([]))
    told: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What an exchange needs."""

    agent: Agent
    db: Prisma
    principal: Principal
    public_url: str
    max_document_bytes: int

    @property
    def turns(self) -> Turns:
        return Turns(self.db, self.principal)

    # ------------------------------------------------------------ taking a request

    async def take(
        self, conversation: Conversation, options: RunOptions, *, key: str | None = None, retried: bool = False
    ) -> Exchange:
        """Begin what the request asks for.

        Args:
            key: The client's idempotency key.
            retried: The client says that it sent this request before and heard nothing.

        Raises:
            AgentError, DocumentRefused, Problem: Nothing was begun.
        """
        options = options.model_copy(update={"instructions": conversation.instructions})
        if key is not None and (known := await self._by_key(conversation, key)) is not None:
            return known
        if is_chore(conversation.words) and not conversation.files:
            return await self._begin(conversation, options.model_copy(update={"tools": "none"}), chore=True)
        same = await self.turns.same(conversation)
        if same is not None and retried and is_recent(same, RETRIED_WITHIN, now=utc_now()):
            if await self._came_to_nothing(same.run_id):
                same = None
            else:
                return self._again(conversation, same)
        before = await self.turns.before(conversation)
        if before is not None and (answered := await self._answer_to_waiting(conversation, before)) is not None:
            return answered
        if same is not None and await self._did_something(conversation, same):
            options = options.model_copy(update={"tools": "read", "instructions": _another(options.instructions)})
            return await self._begin(conversation, options, thread_id=same.thread_id, key=key)
        return await self._begin(conversation, options, thread_id=before.thread_id if before else "", key=key)

    async def _begin(
        self,
        conversation: Conversation,
        options: RunOptions,
        *,
        thread_id: str = "",
        key: str | None = None,
        chore: bool = False,
    ) -> Exchange:
        documents = [*conversation.document_ids]
        for file in conversation.files:
            row = await store_document(
                self.db, self.principal, name=file.name, content=file.content, max_bytes=self.max_document_bytes
            )
            documents.append(row.id)
        made = not thread_id
        if made:
            thread_id = await self._new_thread(conversation, chore=chore)
            options = options.model_copy(update={"seeded": bool(conversation.before) and not chore})
        try:
            run_id = await self.agent.submit(
                thread_id=thread_id,
                input=conversation.words,
                documents=documents,
                principal=self.principal,
                idempotency_key=None if chore else key,
                when_busy="enqueue",  # what a client broke off a moment ago may still be ending
                options=options,
            )
        except AgentError as refused:
            if made:
                await self.agent.delete_thread(thread_id, principal=self.principal)
            known = None
            if isinstance(refused, IdempotencyConflict) and key is not None:  # the same request, at the same moment
                known = await self._by_key(conversation, key)
            if known is None:
                raise
            return known
        if chore:
            return Exchange(conversation, run_id, thread_id, chore=True)
        turn = await self.turns.record(conversation, thread_id=thread_id, run_id=run_id)
        return Exchange(conversation, run_id, thread_id, turn.id)

    async def _new_thread(self, conversation: Conversation, *, chore: bool) -> str:
        first = conversation.before[0][1] if conversation.before else conversation.words
        row = await self.db.thread.create(
            data={
                "tenant_id": self.principal.tenant_id,
                "user_id": self.principal.user_id,
                "title": "" if chore else " ".join(first.split())[:TITLE_LENGTH],
            }
        )
        if not chore:
            await seed(self.db, row.id, conversation.before)
        return row.id

    # ------------------------------------------------------------ asked before

    async def _by_key(self, conversation: Conversation, key: str) -> Exchange | None:
        run = await self.db.run.find_first(
            where={"tenant_id": self.principal.tenant_id, "idempotency_key": stored_key(self.principal, key)}
        )
        if run is None:
            return None
        turn = await self.turns.of_run(run.id)
        for _ in range(TURN_CHECKS):  # whoever took it records the run first, and then the turn
            if turn is not None:
                break
            await asyncio.sleep(TURN_INTERVAL)
            turn = await self.turns.of_run(run.id)
        if turn is None or turn.asked != asked_digest(conversation) or turn.user_id != self.principal.user_id:
            raise IdempotencyConflict("This idempotency key was used for another request.")
        return self._again(conversation, turn)

    def _again(self, conversation: Conversation, turn: ChatTurn) -> Exchange:
        return Exchange(conversation, turn.run_id, turn.thread_id, turn.id, turn.after)

    async def _came_to_nothing(self, run_id: str) -> bool:
        """Whether it ended without an answer, as when a client gave up waiting, and before it had any effect."""
        run = await self.db.run.find_unique_or_raise(where={"id": run_id})
        if run.cancel_requested_at is not None and run.status not in ENDED:
            await self.agent.wait(run_id)
            run = await self.db.run.find_unique_or_raise(where={"id": run_id})
        return run.status in ("cancelled", "failed") and not await self._effects(run_id)

    async def _did_something(self, conversation: Conversation, turn: ChatTurn) -> bool:
        """Whether asking again would do a thing twice. The same first words much later are a new request."""
        if not conversation.before and not is_recent(turn, SAME_FIRST_WORDS, now=utc_now()):
            return False
        return bool(await self._effects(turn.run_id))

    async def _effects(self, run_id: str) -> int:
        return await self.db.effect.count(
            where={"run_id": run_id, "status": {"in": ["executed", "needs_reconcile", "reserved"]}}
        )

    # ------------------------------------------------------------ while something waits

    async def _answer_to_waiting(self, conversation: Conversation, before: ChatTurn) -> Exchange | None:
        """What a message does in a conversation whose last answer asked for a decision; None when it did not."""
        run = await self.db.run.find_unique_or_raise(where={"id": before.run_id})
        reply = waiting.parse_reply(conversation.words)
        if run.status != "waiting":
            return await self._too_late(conversation, before, run) if reply is not None else None
        if waiting.is_cancel(conversation.words):
            await self.agent.cancel(run.id, principal=self.principal)
            return await self._turn(conversation, run, after=run.last_sequence)
        if reply is None:
            return await self._turn(conversation, run, after=run.last_sequence)
        by_code = {waiting.code_of(approval): approval for approval in await waiting.pending(self.db, run.id)}
        approval = by_code.get(reply.code)
        if approval is None:
            return await self._turn(
                conversation, run, after=run.last_sequence, text="Nothing waits under this code in this conversation."
            )
        try:
            await self.agent.decide(
                approval.id,
                decision=reply.decision,
                digest=approval.digest,
                reason=reply.reason,
                principal=self.principal,
            )
            text = ""
        except AgentError as refused:  # its message is for whoever asked
            text = f"This was not decided: {refused.message}"
        return await self._turn(conversation, run, after=run.last_sequence, text=text)

    async def _too_late(self, conversation: Conversation, before: ChatTurn, run: Run) -> Exchange | None:
        """A decision about what was decided elsewhere: tell what became of it since this conversation last heard."""
        heard = await self.db.event.find_first(
            where={"run_id": run.id, "type": "run.finished", "sequence": {"gt": before.after}},
            order={"sequence": "asc"},
        )
        if heard is None or (run.status in ENDED and heard.sequence >= run.last_sequence):
            return await self._turn(
                conversation, run, after=run.last_sequence, text="Nothing waits for a decision here."
            )
        text = "This was decided already."
        return await self._turn(conversation, run, after=heard.sequence, text=text)

    async def _turn(self, conversation: Conversation, run: Run, *, after: int, text: str = "") -> Exchange:
        turn = await self.turns.record(conversation, thread_id=run.thread_id, run_id=run.id, after=after)
        return Exchange(conversation, run.id, run.thread_id, turn.id, after, text)

    # ------------------------------------------------------------ telling

    async def tell(self, exchange: Exchange) -> AsyncGenerator[str | End]:
        """The answer's text as it comes, and then its end."""
        end = End()
        async for piece in self._pieces(exchange):
            if isinstance(piece, End):
                end = piece
            elif text := exchange.stop.feed(piece):
                exchange.told += text
                yield text
        if text := exchange.stop.finish():
            exchange.told += text
            yield text
        await self.keep(exchange)
        yield end

    async def _pieces(self, exchange: Exchange) -> AsyncGenerator[str | End]:
        narrator, end, said = Narrator(), End(), bool(exchange.text)
        if exchange.text:
            yield exchange.text
        async for event in self.agent.events(exchange.run_id, after=exchange.after):
            if text := narrator.read(event):
                yield f"\n\n{text}" if said and exchange.text else text
                said, exchange.text = True, ""
            if (data := finished(event)) is not None:
                end = await self._end(exchange, data)
        run = await self.db.run.find_unique_or_raise(where={"id": exchange.run_id})
        if run.status == "waiting":
            end = replace(end, status="waiting")
            approvals = await waiting.pending(self.db, run.id)
            may_approve = self.agent.may_approve(self.principal, run.user_id)
            text = await waiting.tell(
                self.db, self.principal, approvals, public_url=self.public_url, may_approve=may_approve
            )
            yield f"\n\n{text}" if said else text
        elif end.error is not None and end.error[0] in OUTCOMES:
            yield f"\n\n{end.error[1]}" if said else end.error[1]
        elif not end.status and run.status in ENDED:
            end = replace(end, status=run.status.value)  # it had ended before
        yield end

    async def _end(self, exchange: Exchange, data: dict[str, Any]) -> End:
        """Usage is told for the whole run; of this exchange is what came on top."""
        before: dict[str, int] = {}
        if exchange.after:
            event = await self.db.event.find_first(
                where={"run_id": exchange.run_id, "type": "run.finished", "sequence": {"lte": exchange.after}},
                order={"sequence": "desc"},
            )
            before = orjson.loads(event.data)["usage"] if event is not None else {}
        used: dict[str, int] = data["usage"]
        usage = Usage(*(used.get(name, 0) - before.get(name, 0) for name in ("input_tokens", "output_tokens")))
        error = data.get("error")
        return End(data["status"], usage, (error["code"], error["message"]) if error else None)

    async def keep(self, exchange: Exchange) -> None:
        """Keep what the client has read, so that it can go on from there; of a chore nothing."""
        if exchange.chore:
            await self.agent.delete_thread(exchange.thread_id, principal=self.principal)
        else:
            await self.turns.answered(exchange.turn_id, exchange.conversation, exchange.told)

    async def left(self, exchange: Exchange) -> None:
        """The client went away before the end: nothing more is begun for it; what is being done is finished.

        A run that waits for a person goes on waiting.
        """
        run = await self.db.run.find_unique(where={"id": exchange.run_id})
        if run is not None and run.status != "waiting":
            with suppress(AgentError):  # it has ended by itself
                await self.agent.cancel(exchange.run_id, principal=self.principal)
        await self.keep(exchange)


def _another(instructions: str) -> str:
    return f"{ANOTHER_ANSWER}\n\n{instructions}"[:MAX_INSTRUCTIONS]
