"""A model server that knows the solutions of cases of one turn, and counts what it has answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence

from evals.case import Case
from tests.support.http_server import Answer, Request
from tests.support.openai_server import JsonObject, OpenAIServer, Reply


class SolutionServer(OpenAIServer):
    """Answers each conversation with the next step of its case.

    Attributes:
        answered: How often each step of each case was answered.
        held: Requests that wait, because `hold_after` were answered; set it to None to let further ones through.
        away: Answers nothing but errors.
    """

    def __init__(self, cases: Sequence[Case], *, hold_after: int | None = None) -> None:
        super().__init__()
        self._cases = {case.say[0]: case for case in cases}
        self.answered: Counter[tuple[str, int]] = Counter()
        self.hold_after = hold_after
        self.held = 0
        self.away = False

    async def _handle(self, request: Request) -> Answer:
        if request.path != "/v1/chat/completions":
            return await super()._handle(request)
        if self.hold_after is not None and self.answered.total() >= self.hold_after:
            self.held += 1
            await asyncio.Event().wait()
        body: JsonObject = json.loads(request.body)
        self._replies = [Reply(status=503)] if self.away else [self._next(body["messages"])]
        return await super()._handle(request)

    def _next(self, messages: list[JsonObject]) -> Reply:
        asked = next(message for message in reversed(messages) if message["role"] == "user")
        case = next(case for said, case in self._cases.items() if str(asked["content"]).startswith(said))
        step = sum(message["role"] == "assistant" for message in messages[messages.index(asked) :])
        self.answered[case.name, step] += 1
        (turn,) = case.solution
        if step == len(turn.calls):
            return Reply(pieces=[turn.answer])
        ((tool, arguments),) = turn.calls[step].items()
        drafted = re.findall(r"inv_[a-z0-9]{12}", json.dumps(messages))
        filled = json.dumps(dict(arguments), default=dict).replace("$draft", drafted[-1] if drafted else "$draft")
        return Reply(calls=[(f"call_{step}", tool, filled)])


def steps_of(cases: Sequence[Case]) -> dict[tuple[str, int], int]:
    """Every step of every case, once."""
    return {(case.name, step): 1 for case in cases for step in range(len(case.solution[0].calls) + 1)}
