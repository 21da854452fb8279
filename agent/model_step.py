"""One call of the model: a conversation in, an answer or tool calls out, text leaving as it is generated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from agent.deps import Deps, Record
from agent.emitter import Emitter
from agent.ending import INTERRUPTED, Ending, RunStopped, failed
from agent.events import Guarded, UsageInfo
from agent.grounding import Step, StepReader, render
from agent.guarding import OutputFilter, OutputRefused
from agent.llm.base import Usage
from agent.llm.errors import MalformedAnswer, ModelError
from agent.messages import ChatMessage, ToolCall
from agent.seen import Seen
from agent.state import RunState
from agent.steps import recorded
from agent.tokens import estimate

if TYPE_CHECKING:
    from langgraph.runtime import Runtime  # LangGraph itself is imported by agent/graph.py only

log = logging.getLogger(__name__)

ATTEMPTS = 2  # at one step, while nothing of it has left


class Reader(Protocol):
    """Reads one step as it is generated."""

    def feed(self, text: str) -> str: ...
    def finish(self) -> Step: ...


class TextReader:
    """The step of a model that calls tools by itself: its text is the answer, or what it says beside its calls."""

    def __init__(self, *, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._text: list[str] = []
        self._calls: list[ToolCall] = []

    def feed(self, text: str) -> str:
        """All text is for the person, but for blanks before it."""
        text = text if self._text else text.lstrip()
        if text:
            self._text.append(text)
        return text

    def take(self, calls: Sequence[ToolCall]) -> None:
        """Calls get ids of ours: a server's are not unique in a run."""
        self._calls += [call.model_copy(update={"id": self._new_id()}) for call in calls]

    def finish(self) -> Step:
        """The whole step.

        Raises:
            MalformedAnswer: Neither text nor calls.
        """
        text = "".join(self._text).strip()
        if not text and not self._calls:
            raise MalformedAnswer("The model answered nothing.")
        return Step(calls=tuple(self._calls), answer=text)


async def call_model(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Ask the model for its next step.

    Raises:
        RunStopped: A limit was reached, the run was stopped, an output guard refused, or the model cannot answer.
    """
    deps = runtime.context
    settings, usage = deps.services.settings, state["usage"]
    deps.scope.check()
    if usage.steps >= settings.max_steps:
        raise RunStopped(failed("step_limit", f"The request was not done after {settings.max_steps} steps."))
    left = settings.max_tokens - usage.input_tokens - usage.output_tokens
    if left <= 0:
        raise RunStopped(failed("token_limit", f"The run used its {settings.max_tokens} tokens."))
    emitter = Emitter(runtime.stream_writer, deps.log.append)
    max_tokens = min(left, settings.max_answer_tokens)
    record = await recorded(
        deps, emitter, "model", lambda: _ask(deps, state, emitter, max_tokens=max_tokens), is_last=_ends_the_run
    )
    if "ending" in record:
        raise RunStopped(Ending.model_validate(record["ending"]))
    message = ChatMessage.model_validate(record["message"])
    used = UsageInfo.model_validate(record["used"])
    usage = UsageInfo(
        input_tokens=usage.input_tokens + used.input_tokens,
        output_tokens=usage.output_tokens + used.output_tokens,
        steps=usage.steps + 1,
    )
    return {
        "messages": [*state["messages"], message],
        "asked": message.calls,
        "answer": "" if message.calls else message.content,
        "usage": usage,
    }


def _ends_the_run(record: Record) -> bool:
    return "ending" in record or not record["message"]["calls"]


async def _ask(deps: Deps, state: RunState, emitter: Emitter, *, max_tokens: int) -> Record:
    """What the model says next, or how the run ends because it cannot, to be recorded."""
    try:
        step, used = await _step(deps, state, emitter, max_tokens=max_tokens)
    except RunStopped as stop:
        if stop.ending is INTERRUPTED:
            raise
        return {"ending": stop.ending.model_dump(mode="json")}
    except ModelError as error:
        log.warning("model_error", extra={"run_id": deps.run_id, "code": error.code})
        return {"ending": failed(error.code, error.message).model_dump(mode="json")}
    message = ChatMessage(role="assistant", content=step.answer, calls=step.calls)
    spent = UsageInfo(input_tokens=used.input_tokens, output_tokens=used.output_tokens, steps=1)
    return {"message": message.model_dump(mode="json"), "used": spent.model_dump(mode="json")}


async def _step(deps: Deps, state: RunState, emitter: Emitter, *, max_tokens: int) -> tuple[Step, Usage]:
    for attempt in range(1, ATTEMPTS + 1):
        answer = _Answer(deps, state, emitter, max_tokens=max_tokens)
        try:
            return await answer.read()
        except MalformedAnswer:
            if answer.sent or attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


class _Answer:
    """One attempt at one step."""

    def __init__(self, deps: Deps, state: RunState, emitter: Emitter, *, max_tokens: int) -> None:
        services, step = deps.services, state["usage"].steps + 1
        numbers = count(1)
        native = services.backend.native_tools
        reader = TextReader if native else StepReader
        principal, read = deps.principal, deps.grounding.read()
        offered = [
            tool
            for tool in deps.tools
            if services.policy.offers(
                tool, principal.roles, blocked=state["blocked"], tenant_id=principal.tenant_id, read=read
            )
        ]
        self._deps = deps
        self._emitter = emitter
        self._max_tokens = max_tokens
        self._reader: Reader = reader(new_id=lambda: f"call_{step}_{next(numbers)}")
        seen = Seen.of([*deps.history, *state["messages"]], deps.grounding)
        self._filter = OutputFilter(services.output_guards, replace(deps.guard_context, seen=seen))
        self._messages = [*deps.prefix, *render([*deps.history, *state["messages"]], native=native)]
        self._tools = deps.grounding.tool_specs(offered) if native else ()
        self._schema = None if native else deps.grounding.step_schema(offered)
        self.sent = False

    async def read(self) -> tuple[Step, Usage]:
        """Stream the answer; returns the step and what it cost."""
        services, usage, finish, characters = self._deps.services, None, None, 0
        deltas: Any = services.backend.stream(
            self._messages,
            tools=self._tools,
            schema=self._schema,
            max_tokens=self._max_tokens,
            seed=services.settings.seed,
        )
        try:
            async with self._deps.scope.interruptible(), aclosing(deltas) as stream:
                async for delta in stream:
                    if delta.text:
                        characters += len(delta.text)
                        if text := self._reader.feed(delta.text):
                            self._send(self._filter.feed(text))
                            await self._deps.log.keep_up()
                    if delta.calls and isinstance(self._reader, TextReader):
                        self._reader.take(delta.calls)
                    usage, finish = delta.usage or usage, delta.finish or finish
            if finish == "length":
                raise RunStopped(failed("token_limit", f"The answer was longer than {self._max_tokens} tokens."))
            step = self._reader.finish()
            self._send(self._filter.finish())
        except OutputRefused as refused:
            self._filter.drop()
            self._emitter.emit(Guarded(guard=refused.guard, verdict="refuse", reason=refused.reason))
            raise RunStopped(failed("output_refused", refused.reason)) from None
        finally:
            with suppress(OutputRefused):  # an answer that was broken off
                self._send(self._filter.finish())
            for guard, reason in self._filter.advice:
                self._emitter.emit(Guarded(guard=guard, verdict="allow", reason=reason))
            self._emitter.flush()
        return step, usage or Usage(estimate(self._messages), characters // 3)

    def _send(self, text: str) -> None:
        if text:
            self.sent = True
            self._emitter.token(text)
