"""Runs requests one after the other with one loaded model, each in a company of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.llm.base import Backend, Delta, OnProgress, ToolSpec
from agent.messages import ChatMessage
from agent.service import Agent
from agent.settings import AgentSettings
from evals.requests.cases import Request
from evals.requests.check import faults
from evals.requests.drive import drive
from evals.requests.world import NOW, fresh, make_template, state_of
from tools.settings import ToolSettings, create_invoices


class Result(BaseModel):
    """How one request went. `seconds` is from the first word to the last rest, approvals at once."""

    name: str
    kind: str
    right: bool
    faults: list[str]
    seconds: float
    steps: int
    approvals: int
    input_tokens: int
    output_tokens: int
    calls: list[str]
    say: list[str]
    said: list[str]


class Shared:
    """A backend that many agents use: the first starts and warms it, none of them stops it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._started = False
        self.name = backend.name
        self.native_tools = backend.native_tools
        self.context_tokens = backend.context_tokens

    @property
    def digest(self) -> str:
        return self._backend.digest

    async def start(self, *, on_progress: OnProgress | None = None, warm_prefix: Sequence[ChatMessage] = ()) -> None:
        if not self._started:
            await self._backend.start(on_progress=on_progress, warm_prefix=warm_prefix)
            self._started = True

    async def stop(self) -> None:
        """It goes on: see `close`."""

    async def close(self) -> None:
        await self._backend.stop()

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> AsyncGenerator[Delta, None]:
        return self._backend.stream(messages, tools=tools, schema=schema, max_tokens=max_tokens, seed=seed)


async def run_all(
    requests: Sequence[Request], backend: Backend, settings: AgentSettings, *, on_progress: OnProgress | None = None
) -> AsyncGenerator[Result]:
    """Each request's result as it comes. `backend` is started at the first and stopped after the last."""
    shared = Shared(backend)
    with tempfile.TemporaryDirectory(prefix="deskclerk-requests-") as folder:
        template = await make_template(Path(folder))
        try:
            for request in requests:
                yield await run_one(request, template, shared, settings, on_progress=on_progress)
        finally:
            await shared.close()


async def run_one(
    request: Request, template: Path, backend: Backend, settings: AgentSettings, *, on_progress: OnProgress | None
) -> Result:
    """One request in a copy of the template company."""
    async with fresh(template, request.name) as db:
        agent = Agent.create(
            settings, db=db, backend=backend, invoices=create_invoices(ToolSettings()), clock=lambda: NOW
        )
        before = await state_of(db)
        async with _started(agent, on_progress):
            began = time.monotonic()
            made = await drive(request, agent, db)
            seconds = time.monotonic() - began
        wrong = faults(request.expect, before, await state_of(db), made)
    return Result(
        name=request.name,
        kind=request.kind,
        right=not wrong,
        faults=wrong,
        seconds=round(seconds, 1),
        steps=made.steps,
        approvals=made.approvals,
        input_tokens=made.input_tokens,
        output_tokens=made.output_tokens,
        calls=[f"{call.tool}({_arguments(call.arguments)}) {call.status}" for call in made.executed],
        say=request.say,
        said=made.said,
    )


@asynccontextmanager
async def _started(agent: Agent, on_progress: OnProgress | None) -> AsyncGenerator[None]:
    await agent.start(on_progress=on_progress)
    try:
        yield
    finally:
        await agent.stop()


def _arguments(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def summary(results: Sequence[Result]) -> Iterator[str]:
    """Lines of the last word."""
    right = sum(result.right for result in results)
    times = sorted(result.seconds for result in results)
    yield f"{right} of {len(results)} right; {times[len(times) // 2]:.1f} s in the middle, {times[-1]:.1f} s at most"
    for result in results:
        if not result.right:
            yield f"wrong: {result.name}: {'; '.join(result.faults)}"
