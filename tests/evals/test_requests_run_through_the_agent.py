"""The runner over the real agent, database and tools; only the model is a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.llm.create import create_backend
from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from evals.requests.cases import Request
from evals.requests.run import Result, run_all, summary

PAY = [
    {"calls": [{"tool": "take_payment", "arguments": {"invoice": "INV-2026-0007"}}]},
    {"text": "That was that."},
]
PAID = {"status": {"inv_seed07": "paid"}, "paid": {"inv_seed07": "1285.20 EUR"}, "approvals": 1}


async def ran(folder: Path, request: dict[str, Any], answers: list[dict[str, Any]]) -> Result:
    script = folder / "script.json"
    script.write_text(json.dumps({"native_tools": True, "answers": answers}))
    backend = create_backend(f"scripted:{script}", LlmSettings())
    asked = Request.model_validate({"name": "it", "kind": "payment", "say": ["Pay INV-2026-0007."], **request})
    (result,) = [result async for result in run_all([asked], backend, AgentSettings())]
    return result


@pytest.mark.parametrize(
    ("decide", "expect", "status"),
    [("approve", PAID, "succeeded"), ("reject", {"approvals": 1}, "rejected")],
)
async def test_a_person_decides_and_the_database_tells(
    tmp_path: Path, decide: str, expect: dict[str, Any], status: str
):
    result = await ran(tmp_path, {"decide": decide, "expect": expect}, PAY)
    assert result.faults == []
    assert (result.steps, result.approvals, result.said) == (2, 1, ["That was that."])
    if status == "succeeded":
        assert result.calls == ["take_payment(invoice='INV-2026-0007') succeeded"]


async def test_what_was_only_said_is_not_done(tmp_path: Path):
    result = await ran(tmp_path, {"expect": PAID}, [{"text": "I took the payment of 1285.20 EUR."}])
    assert not result.right
    assert "inv_seed07 is issued, not paid" in result.faults
    assert any(line.startswith("wrong: it") for line in summary([result]))


async def test_an_attached_order_is_there_to_be_read(tmp_path: Path):
    request: dict[str, Any] = {
        "say": ["Read it."],
        "attach": ["acme-po-7001.pdf"],
        "expect": {"calls": [{"list_products": {}}]},
    }
    result = await ran(tmp_path, request, [{"calls": [{"tool": "list_products"}]}, {"text": "Widgets and more."}])
    assert result.faults == []
