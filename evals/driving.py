"""One case through a desk, with a person who decides as the case says."""

from __future__ import annotations

import json
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

from evals.case import Attachment, Case, Decision
from evals.desks.base import Desk
from evals.made import Call, Made

FOLDERS = (Path(__file__).parents[1] / "tools" / "samples" / "orders", Path(__file__).with_name("documents"))
REASON = "Not this month."


def content_of(attached: str | Attachment) -> tuple[str, bytes]:
    """Name and bytes of what a case attaches.

    Raises:
        FileNotFoundError: No such file.
    """
    if isinstance(attached, Attachment):
        return attached.name, attached.text.encode()
    for folder in FOLDERS:
        if (path := folder / attached).is_file():
            return path.name, path.read_bytes()
    raise FileNotFoundError(f"{attached} is neither in tools/samples/orders nor in evals/documents")


async def drive(case: Case, desk: Desk) -> Made:
    """Say each turn, decide what is asked, until the last run rests."""
    made = Made()
    thread_id = await desk.begin_thread()
    documents = [await desk.upload(*content_of(attached)) for attached in case.attach]
    began = time.monotonic()
    for turn, text in enumerate(case.say, 1):
        run_id = await desk.submit(thread_id, text, documents if turn == 1 else ())
        await _Turn(case, desk, made, turn).follow(run_id)
    made.seconds = time.monotonic() - began
    return made


class _Turn:
    """One run, from its first event to its end."""

    def __init__(self, case: Case, desk: Desk, made: Made, turn: int) -> None:
        self._case, self._desk, self._made, self._turn = case, desk, made, turn
        self._called: dict[str, dict[str, Any]] = {}
        self._said = ""

    async def follow(self, run_id: str) -> None:
        last = 0
        while True:
            asked: list[dict[str, Any]] = []
            finished: dict[str, Any] = {}
            async with aclosing(self._desk.events(run_id, after=last)) as events:
                async for event in events:
                    last = event.sequence
                    data = cast("dict[str, Any]", json.loads(event.data))
                    if event.type != "token":
                        self._made.events.append(
                            {"turn": self._turn, "id": event.sequence, "event": event.type, "data": data}
                        )
                    if event.type == "approval.required":
                        asked.append(data)
                        self._called[data["call_id"]] = data  # a call that is rejected is told of nowhere else
                    elif event.type == "run.finished":
                        finished = data
                    else:
                        self._heard(event.type, data)
            if finished.get("status") != "waiting":
                return self._end(finished)
            await self._decide(asked)

    def _heard(self, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "tool.call":
                self._called[data["call_id"]] = data
            case "tool.result":
                self._made.refused += data["status"] == "refused"
                call = self._called.pop(data["call_id"], None)
                if call is None:
                    self._made.invalid += 1
                else:
                    self._made.executed.append(self._call(call, data["status"], data.get("result")))
            case "message":
                self._said = data["text"]
            case _:
                pass

    def _call(self, call: dict[str, Any], status: Any, result: dict[str, Any] | None) -> Call:
        return Call(call["tool"], call["arguments"], status, turn=self._turn, effect=call["effect"], result=result)

    async def _decide(self, asked: list[dict[str, Any]]) -> None:
        for approval in asked:
            decision = self._decision(self._made.approvals)
            self._made.approvals += 1
            await self._desk.decide(
                approval["approval_id"],
                decision=decision,
                digest=approval["digest"],
                reason=REASON if decision == "reject" else None,
            )

    def _decision(self, position: int) -> Decision:
        if isinstance(self._case.decide, str):
            return self._case.decide
        return self._case.decide[min(position, len(self._case.decide) - 1)]

    def _end(self, finished: dict[str, Any]) -> None:
        made, usage = self._made, finished.get("usage", {})
        made.executed += [self._call(call, "unanswered", None) for call in self._called.values()]
        made.statuses.append(finished.get("status", "unknown"))
        made.said.append(self._said)
        if error := finished.get("error"):
            made.errors.append(error["code"])
        made.steps += usage.get("steps", 0)
        made.input_tokens += usage.get("input_tokens", 0)
        made.output_tokens += usage.get("output_tokens", 0)
