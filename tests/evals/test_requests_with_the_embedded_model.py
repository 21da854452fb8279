from __future__ import annotations

import pytest

from agent.llm.create import create_backend
from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from evals.requests.cases import load
from evals.requests.run import run_all

# Those that were right in every run so far; `make evals` runs all of them and reports what is not.
FEW = ["credit_limit_of_a_customer", "draft_by_sku", "order_with_another_price"]


@pytest.mark.model
@pytest.mark.timeout(900)  # 40 s on two idle cores, weights at hand
async def test_the_embedded_model_looks_up_drafts_and_refuses_a_bad_order():
    backend = create_backend("embedded", LlmSettings())
    results = [result async for result in run_all(load(only=FEW), backend, AgentSettings())]
    assert {result.name: result.faults for result in results} == {name: [] for name in FEW}
