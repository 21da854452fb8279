"""Decisions and cancellations that come in the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import httpx

from prisma import Prisma
from tests.support.chaos.client import REQUEST
from tests.support.chaos.rounds import Trial

Race = Literal["approve against approve", "approve against cancel"]


@dataclass
class Outcome:
    """How races went: status codes of both, executions, how often each."""

    counts: Counter[tuple[Any, ...]] = field(default_factory=Counter[tuple[Any, ...]])

    def note(self, codes: Sequence[int], executed: int, status: str) -> None:
        self.counts[(*codes, executed, status)] += 1


async def race_over_http(made: Trial, race: Race, *, times: int) -> Outcome:
    """Two requests to two servers at once, for an order that waits for its payment to be approved."""
    outcome = Outcome()
    one, other = (httpx.AsyncClient(base_url=replica.url, timeout=60) for replica in made.replicas)
    async with one, other, Prisma(made.url) as db:
        for document in islice(list(made.documents), times):
            made.documents.remove(document)
            run, asked = await until_asked(one, document)
            body = {"decision": "approve", "digest": asked["digest"]}
            approval = f"/v1/approvals/{asked['id']}"
            against = ("post", approval, body) if race == "approve against approve" else ("post", f"{run}/cancel", None)
            answers = await asyncio.gather(one.post(approval, json=body), other.request(*against[:2], json=against[2]))
            codes = [answer.status_code for answer in answers]
            for answer in answers:
                if answer.status_code == 409:
                    assert answer.json()["code"] in {"approval_not_pending", "run_ended"}, answer.text
            status = await until_ended(other, run)
            run_id = run.rpartition("/")[2]
            executed = await db.effect.count(where={"run_id": run_id, "tool": "take_payment", "status": "executed"})
            orders = await db.purchaseorder.find_many(where={"document_id": document})
            invoices = await db.invoice.find_many(where={"order_id": {"in": [order.id for order in orders]}})
            paid = await db.payment.count(where={"invoice_id": {"in": [invoice.id for invoice in invoices]}})
            assert (len(invoices), paid) == (1, executed), (len(invoices), paid, executed)
            check_race(race, codes, executed, status)
            outcome.note(codes, executed, status)
    return outcome


def check_race(race: Race, codes: Sequence[int], executed: int, status: str) -> None:
    """Of two approvals one wins; against a cancellation, an approval that lost has paid nothing."""
    if race == "approve against approve":
        assert sorted(codes) == [200, 409], codes
        assert (executed, status) == (1, "succeeded")
    elif codes[0] == 409:
        assert (codes[1], executed, status) == (202, 0, "cancelled"), (codes, executed, status)
    else:
        assert executed <= 1
        assert executed == 1 or status == "cancelled"
        assert codes[1] == 202 or status == "succeeded"


async def until_asked(http: httpx.AsyncClient, document: str) -> tuple[str, dict[str, Any]]:
    """Send an order. The run's address and the approval that it waits for."""
    thread = (await http.post("/v1/threads")).json()["id"]
    answer = await http.post(f"/v1/threads/{thread}/runs", json={"input": REQUEST, "documents": [document]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "waiting", answer.text
    return f"/v1/runs/{answer.json()['id']}", answer.json()["approvals"][0]


async def until_ended(http: httpx.AsyncClient, run: str) -> str:
    """Its status, once it has ended."""
    async with asyncio.timeout(60):
        while True:
            status = (await http.get(run)).json()["status"]
            if status in {"succeeded", "failed", "cancelled"}:
                return status
            await asyncio.sleep(0.02)
