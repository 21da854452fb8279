"""One request from the first event to the last rest: shows it, asks the person, cancels on Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agent import events
from api.cli.desk import Desk
from api.cli.exits import FAILED, INTERRUPTED, WAITING
from api.cli.printing import Printer
from api.cli.prompting import ask_line
from api.cli.reading import parse

if TYPE_CHECKING:
    from agent.records import StoredEvent


@dataclass(frozen=True, slots=True)
class Approver:
    """Who decides: the person at the terminal, everything is approved and why, or nobody and the run rests."""

    kind: Literal["person", "always", "nobody"]
    why: str = ""


@dataclass(slots=True)
class Outcome:
    """How a request ended, and what each tool gave back, in order."""

    status: events.FinalStatus = "failed"
    results: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    @property
    def exit_code(self) -> int:
        return {"succeeded": 0, "failed": FAILED, "cancelled": INTERRUPTED, "waiting": WAITING}[self.status]

    def result(self, tool: str) -> dict[str, Any]:
        """The last result of a tool; empty when it never succeeded."""
        found = (result for name, result in reversed(self.results) if name == tool)
        return next(found, dict[str, Any]())


class Conversation:
    """Runs requests on one thread."""

    def __init__(self, desk: Desk, printer: Printer, approver: Approver) -> None:
        self._desk = desk
        self._printer = printer
        self._approver = approver
        self._thread_id: str | None = None

    async def ask(self, text: str, documents: Sequence[str] = ()) -> Outcome:
        """Send one request and show what happens until it has ended, or rests with nobody to ask."""
        if self._thread_id is None:
            self._thread_id = await self._desk.begin_thread()
        turn = _Turn(self._desk, self._printer, self._approver)
        try:
            return await turn.play(self._desk.run(self._thread_id, text, documents))
        finally:
            self._printer.close()


class _Turn:
    def __init__(self, desk: Desk, printer: Printer, approver: Approver) -> None:
        self._desk = desk
        self._printer = printer
        self._approver = approver
        self._outcome = Outcome()
        self._run_id = ""
        self._sequence = 0
        self._tools: dict[str, str] = {}
        self._waiting: list[events.ApprovalRequired] = []
        self._working = 0.0  # seconds, without those a person took
        self._cancelling: asyncio.Task[None] | None = None

    async def play(self, stream: AsyncIterator[StoredEvent]) -> Outcome:
        while True:
            await self._read(stream)
            if self._outcome.status != "waiting" or not await self._decide():
                return self._outcome
            stream = self._desk.resume(self._run_id, self._sequence)

    async def _read(self, stream: AsyncIterator[StoredEvent]) -> None:
        began = time.monotonic()
        with self._cancel_on_interrupt():
            async for stored in stream:
                self._sequence = stored.sequence
                self._printer.raw(stored)
                event = parse(stored)
                if isinstance(event, events.RunFinished):
                    self._working += time.monotonic() - began
                    self._outcome.status = event.status
                    self._printer.finished(event, seconds=self._working)
                elif event is not None:
                    self._show(event)
        if self._cancelling is not None:
            await self._cancelling

    def _show(self, event: events.RunEvent) -> None:
        match event:
            case events.RunStarted():
                self._run_id = event.run_id
                self._printer.started(event)
            case events.RunResumed():
                self._printer.note("The process that worked on this has died; another one goes on.")
            case events.Token():
                self._printer.token(event.text)
            case events.ToolCalled():
                self._tools[event.call_id] = event.tool
                self._printer.called(event)
            case events.ToolReturned():
                if event.status == "succeeded" and event.result is not None:
                    self._outcome.results.append((self._tools.get(event.call_id, ""), event.result))
                self._printer.returned(event)
            case events.ApprovalRequired():
                self._waiting.append(event)
            case events.Guarded():
                self._printer.guarded(event)
            case events.Message():
                self._printer.message(event.text)
            case _:
                pass

    # ------------------------------------------------------------------ approvals

    async def _decide(self) -> bool:
        """Decide all that is waited for. False when nobody may."""
        waiting, self._waiting = self._waiting, []
        for approval in waiting:
            self._printer.approval(approval)
            match self._approver.kind:
                case "nobody":
                    continue
                case "always":
                    decision, reason, by = "approve", None, f"automatically, because {self._approver.why}"
                case "person":
                    decision, reason = self._ask_person()
                    by = "by you"
            if decision is None:
                await self._desk.cancel(self._run_id)
                self._outcome.status = "cancelled"
                self._printer.note("Cancelled.")
                return False
            self._printer.decided(decision, by=by)
            await self._desk.decide(approval.approval_id, decision=decision, digest=approval.digest, reason=reason)
        if self._approver.kind == "nobody":
            self._printer.note("This run waits for a decision; nobody is at the terminal, and --yes was not given.")
            return False
        return True

    def _ask_person(self) -> tuple[Literal["approve", "reject"] | None, str | None]:
        """Ask on the terminal; the run rests meanwhile, so nothing is kept waiting. None: the person left."""
        while (answer := ask_line("Approve? [y]es, [n]o: ")) is not None:
            if answer.lower() in {"y", "yes"}:
                return "approve", None
            if answer.lower() in {"n", "no"}:
                return "reject", ask_line("Why not? (Enter for no reason) ") or None
        return None, None

    # ------------------------------------------------------------------ Ctrl-C

    @contextmanager
    def _cancel_on_interrupt(self) -> Generator[None]:
        """The first Ctrl-C cancels the run, whose events tell so; the second one ends the program."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None

        def interrupt() -> None:
            if self._cancelling is not None or not self._run_id:
                task.cancel()
                return
            self._printer.note("Cancelling: what is being done is finished first. Ctrl-C again to leave at once.")
            self._cancelling = asyncio.create_task(self._desk.cancel(self._run_id))

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
