"""One request through the agent's public entry, with a person who decides as the request says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from agent.principal import DEFAULT_TENANT, Principal
from agent.service import Agent
from evals.requests.cases import Request
from prisma import Prisma
from tools.stored import store_document

ORDERS = Path(__file__).parents[2] / "tools" / "samples" / "orders"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that ran; `status` as in `tool.result`."""

    tool: str
    arguments: dict[str, Any]
    status: str


@dataclass
class Made:
    """What a request's runs did, as their event logs tell. `said` is for people who read the report."""

    statuses: list[str] = field(default_factory=list[str])
    executed: list[Call] = field(default_factory=list[Call])
    approvals: int = 0
    said: list[str] = field(default_factory=list[str])
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def calls(self) -> list[Call]:
        """Those that succeeded."""
        return [call for call in self.executed if call.status == "succeeded"]


async def drive(request: Request, agent: Agent, db: Prisma) -> Made:
    """Say each turn, decide what is asked, until the last run rests."""
    principal = Principal(DEFAULT_TENANT, None, frozenset({request.role}))
    person = Principal(DEFAULT_TENANT, None, frozenset({"approver"}))
    thread = await db.thread.create(data={"tenant_id": DEFAULT_TENANT})
    documents = [await _attach(db, name) for name in request.attach]
    made = Made()
    for turn, text in enumerate(request.say):
        run_id = await agent.submit(
            thread_id=thread.id, input=text, documents=documents if turn == 0 else (), principal=principal
        )
        seen = await _follow(agent, run_id, request, person, made)
        run = await agent.wait(run_id)
        made.statuses.append(run.status)
        made.said.append(run.answer or (f"({run.error.code}: {run.error.message})" if run.error else ""))
        made.steps += run.usage.steps
        made.input_tokens += run.usage.input_tokens
        made.output_tokens += run.usage.output_tokens
        assert seen, "a run has events"
    return made


async def _attach(db: Prisma, name: str) -> str:
    path = ORDERS / name
    media_type = guess_type(name)[0] or "application/octet-stream"
    row = await store_document(db, DEFAULT_TENANT, name=path.name, media_type=media_type, content=path.read_bytes())
    return row.id


async def _follow(agent: Agent, run_id: str, request: Request, person: Principal, made: Made) -> int:
    """Read the run's events to its end, deciding on the way. Returns the last sequence number."""
    last = 0
    called: dict[str, tuple[str, dict[str, Any]]] = {}
    while True:
        asked: list[dict[str, Any]] = []
        status = ""
        async for event in agent.events(run_id, after=last):
            last = event.sequence
            data = json.loads(event.data)
            match event.type:
                case "tool.call":
                    called[data["call_id"]] = (data["tool"], data["arguments"])
                case "tool.result" if data["call_id"] in called:
                    made.executed.append(Call(*called[data["call_id"]], status=data["status"]))
                case "approval.required":
                    asked.append(data)
                case "run.finished":
                    status = data["status"]
                case _:
                    pass
        if status != "waiting":
            return last
        made.approvals += len(asked)
        for approval in asked:
            await agent.decide(
                approval["approval_id"],
                decision=request.decide,
                digest=approval["digest"],
                reason="Not this month." if request.decide == "reject" else None,
                principal=person,
            )
